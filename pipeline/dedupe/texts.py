"""One hash for all exact copies of a text: `text_hash`. Pure."""

import re
import unicodedata

from schemas.ids import content_hash

#: Version of the rules that make the hash; it stands in every relation that rests on one.
TEXT_RULE = "text-hash-1"

#: Shorter texts recur under different headlines ("The company did not comment."), so their title counts too.
SHORT_TEXT_WORDS = 20

# What stands inside words without being seen: soft hyphen, zero-width characters, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_AGENCIES = (
    "reuters|ap|afp|upi|dpa|apa|awp|kna|epd|sid|dts|ots|efe|ansa|xinhua|tass|rtt ?news|bloomberg|dow jones|dj"
    "|pr ?newswire|business ?wire|globe ?newswire|access ?wire|eqs"
)
# "FRANKFURT (dpa-AFX) - ", "NEW YORK, March 3 (Reuters) – ". Only agencies: "Bayer (BAY) - " is what the text is about.
_AGENCY_PREFIX = re.compile(
    rf"\s*(?:[^\W_a-zäöüß][\w.,/'’-]*\s+){{0,6}}\((?i:{_AGENCIES})(?:[ /-][\w /-]{{1,25}})?\)\s*[-‐-―−:]+\s*"
)
# A sign is part of its number: -3 % and 3 % are different news. A dash inside 2025-26 or between words is not a sign.
_WORD = re.compile(r"(?:(?<!\w)[-‐-―−](?=\d))?[^\W_]+")


def text_hash(title: str, text: str) -> str:
    """Equal for texts with the same words and numbers, whatever their punctuation, case, spacing and agency prefix.

    The title counts only for texts under 20 words: copies often get their own headline. "" for a text without words,
    which is equal to nothing.
    """
    words = _words(text)
    if not words:
        return ""
    if len(words) < SHORT_TEXT_WORDS:
        return content_hash(" ".join(_words(title)) + "\n" + " ".join(words))
    return content_hash(" ".join(words))


def _words(text: str) -> list[str]:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    prefix = _AGENCY_PREFIX.match(text)
    words = _WORD.findall(text[prefix.end() :] if prefix else text)
    return [word if word[0].isalnum() else "-" + word[1:] for word in " ".join(words).casefold().split()]
