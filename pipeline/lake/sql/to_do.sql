-- The first day on which an entry without a last word, or a version not tagged, can lie. What ended it may lie a day earlier: a
-- batch begun before midnight can end what came just after.
CREATE MACRO lake.open_from() AS {open_from};
