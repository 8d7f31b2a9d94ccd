# ruff: noqa: E501 -- a phrase on one line is easier to check than one cut in pieces
"""The wording of promotion, German and English: data for pipeline.read.promotion. Pure.

Every pattern is a whole phrase between word boundaries, because its parts are ordinary words ("app" is in "Doppelapparat",
"phase" in "Beta-Phase"). Each pattern is tried on a line without its bullet, with straight quotes, in lower case (except EDGE_RULES).
"""

import re
from typing import NamedTuple

from pipeline.read.needles import Phrases


class Rule(NamedTuple):
    """A line of at most `words` words that `pattern` finds is of `kind`."""

    kind: str
    words: int
    pattern: Phrases


def _rule(kind: str, words: int, *patterns: str) -> Rule:
    return Rule(kind, words, Phrases(*patterns))


def _any(*patterns: str) -> Phrases:
    return Phrases(*(rf"\b(?:{p})(?!\w)" for p in patterns))


_BEGIN = r"(?:^|[.!?:|…–—] )['\"]?"
_NETWORKS = (
    r"(?:facebook|instagram|twitter|x|linkedin|telegram|whatsapp|threads|youtube|tiktok|bluesky|mastodon|google news|spotify)"
)
_PRODUCT = r"(?:sonder-?|spezial-?|aktien-?|trading-?)*(?:analysen?|reports?|reporte|studien?|ratgeber|e-?books?|leitfaden|webinare?|pdfs?|dividendenkalender|checklisten?)"
_FREE_PRODUCT = (
    rf"gratis-?{_PRODUCT}|(?:gratis|kostenlos(?:e[nrsm]?)?) (?:sonder|spezial|aktien)-?(?:analysen?|reporte?|studien?)"
)
_CLOCK = r"\d{1,2}[:.]\d\d(?: ?uhr| ?[ap]\.?m\.?)?(?: \(?(?:ce?s?t|mes?z|utc|gmt|e[ds]?t)\)?)?"
_MONTH = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*\.?"  # both languages' month names begin alike
_DATE = rf"(?:(?:\w+, )?(?:\d{{1,2}}\.\d{{1,2}}\.\d{{2,4}}|\d{{1,2}}\.? {_MONTH} \d{{4}}|{_MONTH} \d{{1,2}}, \d{{4}}|\d{{4}}-\d\d-\d\d))"

#: What the whole line, or its beginning, or a phrase in it says.
LINE_RULES: tuple[Rule, ...] = (
    _rule(
        "promotion",
        25,
        r"^[\[(*–—-]{0,3} ?(?:anzeige|werbung|advertisement|advertorial|sponsored(?: content)?|gesponsert|promoted)[\])*–—-]{0,3}[:!]?$",
        r"^\W{0,2}(?:anzeige|werbung|advertisement|sponsored)\W{0,2}[:|] .+",
    ),
    _rule(
        "promotion",
        90,
        r"\bneue(?:n|ste|sten)? (?:\S+ ){0,2}\S*analyse vom \d{1,2}\. ?\w+ (?:liefert|zeigt|gibt|verrät|klärt)\b",
        r"\?!? (?:die|eine) (?:\S+ ){0,2}\S*analyse vom \d{1,2}\. ?\w+ (?:\d{4} )?(?:liefert|zeigt|gibt|verrät|klärt)\b",
        r"\b(?:aktionäre|anleger) aufgepasst[:!]",
        r"\bdringender handlungsbedarf für (?:\S+ )?\S*(?:aktionäre|anleger|investoren)\b",
        r"\berfahren sie,? (?:\S+ ){0,3}was (?:\S+ ){0,3}(?:jetzt )?zu tun ist\b",
        r"\bbevor (?:du|sie) (?:jetzt )?(?:\S+ ){0,3}(?:aktien?|anteile) (?:\S+ ){0,4}(?:kaufst|kaufen),",
        rf"{_BEGIN}sichern sie sich (?:jetzt|hier|noch heute|ihr|ihre|ihren|den|die|das|exklusiv|kostenlos|gratis)\b",
        rf"\bkostenlose[nrsm]? {_PRODUCT} (?:\S+ ){{0,6}}(?:herunterladen|downloaden|anfordern|sichern|erhalten sie)\b",
        rf"{_BEGIN}before you (?:buy|invest in|sell) (?:\S+ ){{0,6}}(?:consider|read|hear|know|find out|look)\b",
        r"^(?:dieser|der ganze) (?:artikel|beitrag|text) ist (?:\S+ ){0,2}(?:abonnent\w*|mitgliedern) vorbehalten\b",
        r"^(?:sie haben|haben sie) (?:bereits|schon) ein \S*abo(?:nnement)?\?|^already an? (?:\S+ )?(?:subscriber|member)\?",
        r"^this (?:article|story) is (?:only )?(?:for|available to|reserved for|exclusive to) (?:\S+ )?(?:subscribers|members)\b",
        r"^weiterlesen mit (?:\S+ ){1,3}(?:plus|premium|abo)$|^subscribe to (?:continue|keep) reading\b",
        r"\b(?:get|grab|claim|request|download) (?:your|our|the|this|a) (?:\S+ )?free (?:\S+ )?(?:copy|report|analysis|guide|e-?book|trial|watchlist)\b",
        r"\bunterstützen sie (?:uns|unsere arbeit|unseren journalismus)\b|\bsupport (?:our|independent) journalism\b|\bbecome a (?:member|supporter) today\b",
        rf"{_BEGIN}become a (?:member|subscriber) to (?:see|read|unlock)\b",
        r"\bwhere to invest \$[\d,]+ right now\b",
        r"\banalyst team (?:has )?just (?:revealed|identified|released|named|published)\b",
        r"\b(?:start your free trial|limited[- ]time offer|claim your discount)\b",
        r"\burgent (?:need for action|call to action) for (?:\S+ )*?(?:shareholders|investors)\b",
        rf"{_BEGIN}(?:find out|learn|discover|read)(?: \S+){{0,4}} what (?:to do|you should do|needs to be done|investors (?:should|must) do) (?:now|next)\b",
    ),
    _rule(
        "promotion",
        30,
        r"\b(?:jetzt|hier|online) (?:\S+ ){0,3}(?:depot|konto) eröffnen\b|\bjetzt (?:\S+ ){0,2}\S*abo (?:sichern|testen|bestellen)\W*$|\b(?:euro|prozent|%) (?:bonus|prämie|rabatt) sichern\b|\babo abschließen\b",
        r"\b(?:für nur|ab|nur|für) (?:\d+|einen|1,00) euro (?:\S+ ){0,3}testen\b|\b(?:monate?|tage|wochen) (?:lang )?(?:kostenlos|gratis) (?:testen|lesen)\b",
        r"\bbei unserem partner\b|\bour partner broker\b|\bcfds? (?:with|mit) (?:zero|no|0) ",
        r"\bopen (?:a|an|your) (?:\S+ ){0,2}account (?:today|now|in minutes)\b|\bfree for \d+ (?:days|months|weeks)\b",
        rf"{_BEGIN}(?:try|get|read) (?:it|us|our \S+) (?:for )?free(?: for (?:a|one|\w+) (?:week|month|day)s?)?(?=[.!]|$)",
        rf"{_BEGIN}(?:start|try|get|claim|begin|enjoy)(?: \S+){{0,4}} \d+[- ]day free trial\b|\byour \d+[- ]day free trial\b",
        rf"{_BEGIN}jetzt (?:nur )?(?:\d+|eine[nr]?|zwei|drei) (?:tage?|wochen?|monate?) (?:\S+ ){{0,2}}testen\b",
        r"\bnur (?:noch )?(?:heute|für kurze zeit|bis \S+) (?:\S+ ){0,2}(?:gratis|kostenlos|kostenfrei)\b",
        rf"\bzu[mr] (?:gratis-?|kostenlosen |kostenfreien ){_PRODUCT}\W*$",
        r"\bsubscribe (?:today|now) (?:for|and|to)\b|\bunlock (?:our|this|the full|all) (?:\S+ ){0,4}(?:article|picks|analysis|report|stor(?:y|ies))\b",
        r"^should (?:you|i) (?:invest|put) (?:[$€£]\S+) (?:in|into) .*\?$|\bsee the \d+ stocks\b",
        r"\bour (?:experts|analysts|team) (?:have |has )?(?:found|picked|identified|selected|uncovered) (?:\S+ ){0,4}(?:stocks?|shares|etfs)\b",
        rf"{_BEGIN}don't miss (?:our\b|(?:this|your) (?:\S+ ){{0,2}}(?:chance|opportunity|offer)\b)",
        r"\b(?:hier|jetzt) (?:gratis |kostenlos |direkt )?(?:weiterlesen|klicken|lesen|herunterladen|downloaden|anfordern|bestellen|vorbestellen|"
        r"zugreifen|testen|ansehen)(?: sie)?\W*$",
        r"^(?:hier|jetzt) (?:\S+ ){1,8}per e-?mail (?:erhalten|anfordern|bestellen|bekommen)\W*$|^[^:]{2,60}: hier geht es weiter\W*$",
        r"^(?:hier|jetzt) (?:gratis|kostenlos|kostenfrei) (?:anfordern|herunterladen|bestellen|sichern): ",
        r"\b(?:sie )?(?:hier|jetzt) (?:schon )?(?:jetzt )?(?:gratis|kostenlos)? ?(?:vorbestellen|bestellen|buchen|anfordern)\W*$",
        rf"{_BEGIN}(?:hier|jetzt) geht'?s? (?:es )?(?:zur|zum) (?:\S+ )?(?:anmeldung|analyse|report|angebot|test|depot)\b",
        r"\b(?:click|tap) here (?:to|for|now)\b|\bklicken sie (?:einfach |jetzt )?hier,? (?:um|für|und)\b|^weiterlesen auf (?:der nächsten )?seite\b",
        rf"{_BEGIN}(?:click here|continue reading|read on here|read on|keep reading|read the (?:full|complete|whole) (?:report|analysis|story|article))"
        r"(?: (?:here|now))?\W*$",
        rf"{_BEGIN}(?:read|get|see|download|order) (?:it |the (?:\S+ ){{0,3}})?(?:here|now)\W{{0,3}}$",
        r"\bpre-?order (?:it |yours |your copy )?(?:now|here|today)\b",
    ),
    _rule(
        "related",
        35,
        r"^(?:lesen|sehen|hören|schauen) sie (?:hierzu |dazu |hier |jetzt )?(?:auch|mehr|weiter|außerdem|ebenfalls)\b(?! zwischen)",
        r"^(?:lies|schau|hör) (?:hier|auch|dazu|mehr)\b",
        r"^(?:auch interessant|passend dazu|siehe auch|zum artikel|zum thema|zum weiterlesen|weiterlesen|lesetipps?|mehr dazu|mehr hierzu|lesen sie|"
        r"das könnte (?:sie|dich) (?:auch )?interessieren|hintergrund zum thema|weitere artikel|aus dem archiv|mehr zum thema)(?: \S+){0,4}:",
        r"^mehr (?:themen|news|nachrichten|artikel|meldungen|infos|informationen|hintergründe|aktuelles?) (?:zu[rm]?|von|aus|auf|über|rund um|finden|lesen|"
        r"gibt es)\b(?=.*(?:\bsie\b|\bhier\b|\b(?:auf|von) \S+\.(?:de|at|ch|com)\b|:$))",
        r"^(?:>>|»»|➔|➡|→) ?\S",
        r"\b(?:finden|lesen|erfahren|sehen) sie (?:jederzeit |immer |alles |auch |außerdem )*(?:hier|in unserem (?:live-?blog|news-?blog|ticker|dossier|"
        r"live-?ticker|podcast|archiv|themen-?special)|auf unserer (?:themen)?seite)\W*$",
        r"^(?:hier finden sie|hier lesen sie|mehr zu[rm]? .{3,80} (?:finden|lesen) sie)\b",
        r"^(?:read also|also read|read more|see also|related|related (?:articles?|stor(?:y|ies)|news|reading|coverage)|further reading|more on this(?: story)?|"
        r"recommended(?: reading)?|don't miss|up next|what to read next|watch|in case you missed it|more|read next|more from \S+(?: \S+){0,3}|trending|must read|editor's picks?)"
        r"(?: now)? ?:",
        r"^(?:read|see|find|discover) more (?:about|on|here|in our|at|from) (?=.*(?:\bhere\b|\bour\b|\.com\b|\.co\.uk\b))",
        r"^(?:for more|for the latest) .{3,100}\b(?:click here|(?:visit|check|see|read|follow|go to|sign up (?:for|to)) (?:out )?our)\b",
    ),
    _rule(
        "newsletter",
        90,
        r"\bnewsletter\b(?=.*\b(?:in (?:ihr|dein)(?:em|en)? (?:\S+ )?(?:postfach|e-?mail-?postfach)|informiert sie|hier (?:geht'?s|anmelden|abonnieren)|"
        r"zur anmeldung|jetzt (?:kostenlos |gratis )?(?:abonnieren|anmelden|bestellen)|melden sie sich)\b)",
        r"\b(?:abonnieren sie|abonniere|bestellen sie|melden sie sich (?:hier |jetzt )?(?:für|zu)|jetzt (?:zum|für den|unseren)) (?:\S+ ){0,5}\S*newsletter\b",
        r"\babonnier(?:e|en sie|t) (?:jetzt |hier )?(?:\S+ ){1,3}?\S*(?:-kanal|channel|podcast)\b",
        rf"{_BEGIN}(?:folgen sie|folge|folgt|folgst du)(?: (?:uns|mir|schon|\S+ \S+)){{0,2}}(?: schon| jetzt)? (?:auch )?(?:auf|bei) {_NETWORKS}\b",
        r"\b(?:sign up|subscribe|get our|newsletter)\b(?=.*\b(?:in|to) your inbox\b)",
        r"\bsign(?:ing)? up (?:for|to) our (?:\S+ ){0,4}newsletters?\b",
        rf"{_BEGIN}sign up for (?:breaking|daily|weekly|free|our|the (?:daily|weekly|free))\b",
        rf"{_BEGIN}follow (?:\S+ ){{1,3}}on {_NETWORKS}(?: (?:and|for)\b|\W*$)",
        rf"{_BEGIN}(?:sign up|subscribe|register) (?:here|now|today|free|for free|to our|for our|to the \S+ newsletter|for the \S+ newsletter|to receive|to get)\b",
        rf"{_BEGIN}(?:get|receive) (?:our|the) (?:\S+ ){{0,4}}newsletter\b",
        rf"{_BEGIN}(?:follow|join) our (?:\S+ )?{_NETWORKS} (?:channel|group|community)\b",
        rf"{_BEGIN}(?:follow|join|like|find) (?:us|me|our channel|the conversation)(?: \S+){{0,2}} on {_NETWORKS}\b",
        rf"{_BEGIN}(?:download|get|install) (?:our|the \S+|the \S+ \S+) app\b",
        r"^(?:laden sie|lade|holen sie sich|hol dir|installieren sie)(?: (?:hier|jetzt|sich|dir))* (?:die|unsere) (?:\S+[- ]){0,3}app\b",
        r"\bpush-(?:nachrichten|mitteilungen|benachrichtigungen) (?:aktivieren|abonnieren|erhalten)\b",
    ),
    _rule(
        "disclaimer",
        10_000,
        r"\b(?:stell(?:t|en)|ist|sind|darstellt|darstellen) (?:\S+ ){0,3}keine(?:rlei)? (?:\S+ ){0,3}(?:anlageberatung|anlageempfehlung|kaufempfehlung|"
        r"aufforderung zum (?:kauf|verkauf))",
        r"\bkeine (?:anlageberatung|anlageempfehlung)(?:en)? dar\b",
        r"\btotalverlust des eingesetzten (?:kapitals|geldes|betrag\w*) (?:\S+ ){0,3}(?:nicht ausgeschlossen|möglich)\b",
        r"\b(?:autor|autorin|verfasser|herausgeber\w*|redakteur)\b.{0,80}\b(?:hält|halten|besitzt|ist|sind) .{0,80}\b(?:aktien|positionen?|wertpapiere|"
        r"investiert)\b.{0,120}\b(?:interessenkonflikt|genannten|besprochenen|erwähnten)",
        r"\bhinweis auf (?:mögliche |potenzielle )?interessens?konflikte?\b",
        r"^(?:disclaimer|haftungsausschluss|risikohinweis|disclosure|transparenzhinweis|hinweispflicht\S*)\b ?[:|]",
        r"\b(?:not|nor|neither) (?:\S+ ){0,4}(?:financial|investment) advice\b",
        r"\bfor (?:informational|information|educational)(?: and \S+)? purposes only\b",
        r"\bno positions? in any of the (?:stocks|companies|securities) mentioned\b",
        r"\bmay (?:earn|receive) an? (?:\S+ )?commission\b|\bhas a disclosure policy\b|\bhas (?:no )?positions? in and recommends\b",
        r"\bpast performance is (?:no|not an?) (?:\S+ )?(?:guarantee|indicator|indication)\b",
        r"\b(?:wertentwicklung(?:en)?|ergebnisse) (?:in )?der vergangenheit (?:ist|sind|lassen|bieten|stellen) kein",
        r"\b(?:affiliate-links?|partner-links?)\b(?=.*\b(?:provision|gekennzeichnet\w*|verdienen wir|erhalten wir|kauf)\b)",
        r"^provision[ –-]+ohne mehrkosten\b",
    ),
    _rule(
        "consent",
        120,
        r"^(?:empfohlener (?:redaktioneller|externer) inhalt|externer? inhalte?(?: (?:anzeigen|aktivieren))?|ein klick für den datenschutz|"
        r"inhalt (?:anzeigen|laden|entsperren)|(?:alle )?cookies akzeptieren|accept all(?: cookies)?|external content)\W*$",
        r"\b(?:ich bin|sie sind) damit einverstanden, dass (?:mir|ihnen) (?:\S+ )?externe?",
        r"\bpersonenbezogene daten an dritt(?:plattformen|anbieter) (?:übermittelt|übertragen)\b",
        r"^an dieser stelle (?:finden sie|befindet sich|steht|würden|wird) .*\bextern",
        r"^(?:um diesen inhalt|to (?:view|see) this content|this content is (?:hosted|provided) by)\b",
        r"^(?:wir|diese (?:web)?seite|we|this (?:web)?site) (?:verwenden|verwendet|nutzen|nutzt|uses?) (?:\S+ ){0,2}cookies\b",
        r"^(?:bitte aktivieren sie javascript|please enable (?:javascript|cookies)|ihr browser unterstützt|your browser does not support)\b",
    ),
    _rule(
        "comment",
        45,
        r"^(?:kommentare?|comments?|leserkommentare|diskussion)(?: ?\(?\d+\)?)?\W*$",
        r"^(?:\d+ )?(?:kommentar schreiben|kommentare (?:anzeigen|lesen|geschlossen)|kommentieren sie|diskutieren sie mit|leave a (?:comment|reply)|"
        r"join the conversation|view comments|comments are closed|post a comment)\b",
        r"^(?:fehler gefunden|haben sie (?:einen )?fehler (?:gefunden|entdeckt))\b|^bitte markieren sie die entsprechenden wörter\b",
        r"^(?:did you (?:spot|find) (?:a mistake|an error)|have (?:a tip|a story|you got a story)|do you know more)\b.*\b(?:email|contact|let us know|write)",
        r"\b(?:get in touch|contact us|email us|emailing us|email|e-mail|mail an|schreiben sie(?: uns)?)\b.{0,60}\b[\w.+-]+@[\w-]+\.\w+",
        r"\bbefore (?:commenting|you comment)\W*$|^we want to hear from you\b",
        r"\b(?:schreiben sie uns|schreib uns|write to us|email us|e-mail us)\b.{0,60}(?:@|\bkommentare?n?\b|\bcomments?\b)",
        r"\bhinweise zum \S+\b.*\bmelden (?:sie )?(?:\S+ )?(?:vertraulich|sicher)\b",
    ),
    _rule(
        "credit",
        40,
        r"^(?:quellen?|sources?|foto|fotos|bild|bilder|photos?|images?|grafik|redaktion|übersetzung|faktencheck|schlussredaktion|mitarbeit|"
        r"bildnachweis|bildquelle|titelbild|featured image|redigatur|audioversion|visual director|text)(?: \[m\])?: ?(?!.*[.!?] )\S+(?: \S+){0,9}$",
        r"^(?:\(?(?:reporting|additional reporting|writing|edited|editing|compiled|translated)) by [^.]{3,90}[.)]*(?:; ?(?:\S+ )?(?:editing|writing) by .*)?$",
        r"^(?:redaktion|übersetzung|text|faktencheck): .{3,60}, (?:redaktion|schlussredaktion|übersetzung|fotos?|audioversion|faktencheck): ",
        r"^(?:© ?\S.{1,120}|(?:\(c\)|copyright)(?: \S+){0,3} \d{4}\b.{0,100})$",
        r"^mit (?:informationen|material|inhalten|agenturmaterial) (?:der |des |von |aus )?.{0,120}\b(?:nachrichtenagentur(?:en)?|agenturen|dpa|afp|reuters|sid|ap)\b",
        r"\bcontributed to this (?:report|article|story)\W*$|^with (?:reports?|reporting|files) from [^.]{3,80}\.?$|^our standards: ",
        r"^(?:first|originally) published (?:in|on|by) [^.]{2,60}\.?$",
        r"^dieses? (?:thema|beitrag) im programm: |^sendung: .{3,80}\d{4}|^(?:über dieses thema berichtet|darüber berichtet)\b",
        r"^(?:dieser (?:artikel|text|beitrag)|this (?:article|story|post)) (?:ist eine übersetzung|(?:erschien|ist) (?:zuerst|zunächst|erstmals|ursprünglich)|"
        r"(?:was )?(?:first|originally) (?:appeared|published)|wurde (?:automatisch|maschinell|mithilfe)|was (?:generated|produced|translated|created))\b",
        rf"^(?:(?:zuletzt )?aktualisiert|stand|veröffentlicht|erstveröffentlichung|erschienen|(?:last )?updated|published|posted|first published)(?: (?:am|on|at))?"
        rf":? {_DATE}(?:\W{{1,3}}(?:um )?{_CLOCK})?\W*$",
        rf"^(?:{_DATE}(?:,| \||\s[–-])? {_CLOCK}|{_DATE} \| \d+:\d\d min\.?|\d\d:\d\d min\.\. verfügbar bis {_DATE}\.?)$",
        r"^.{0,60}\d \| \d+:\d\d min$",
        r"^(?:lesezeit|lesedauer|reading time)\b.{0,20}\bmin\S*$|^\d{1,2}[- ]?(?:min(?:ute)?s?|minuten) (?:read|lesezeit)$",
    ),
)

#: Lines that say who wrote or sent it; true of the beginning and the end of a text only. Names need their capitals.
EDGE_RULES: tuple[Rule, ...] = (
    _rule(
        "credit",
        9,
        r"^(?:[Vv]on|[Bb]y|BY|VON) (?:(?:[A-ZÄÖÜÉ][\w.'’-]*|von|van|de|der|und|and|&)(?:,? |,?$)){2,8}(?:in |, )?(?:[A-ZÄÖÜ][\w-]+)?$",
    ),
    _rule("credit", 8, r"^\((?:[a-zäöü]{2,5}|dpa|AFP|SID|Reuters|AP|KNA|epd|dpa-AFX)(?:[/, ]{1,2}[A-Za-zäöü-]{2,8}){0,3}\)$"),
    _rule("credit", 6, r"^[A-Z]{2,5}(?: ?/ ?[a-z]{2,5}| \([A-Za-zÄÖÜäöüß, -]{2,60}\))$|^[a-z]{2,4} [A-ZÄÖÜ][a-zäöüß]+$"),
)

#: A heading that only announces links; what follows it looks like headlines.
RELATED_HEADING = re.compile(
    r"^(?:mehr zum thema|zum thema|lesen sie (?:auch|mehr|dazu)|lesetipps?|auch interessant|passend dazu|weitere (?:artikel|themen|meldungen|nachrichten)|"
    r"das könnte (?:sie|dich) (?:auch )?interessieren|meistgelesen|meist gelesen|empfehlungen|mehr (?:themen|news|nachrichten)(?: (?:auf|von|aus) \S+)?|"
    r"mehr zum thema finden sie\b.{0,40}|related(?: (?:articles?|stories|news|content|topics|reading|coverage))?|read (?:more|also|next)|more on this(?: story| topic)?|"
    r"more from .{2,30}|you (?:may|might) also (?:like|be interested in)|recommended(?: for you| reading| stories)?|most (?:read|popular)(?: in \S+)?|trending(?: now)?|"
    r"what to read next|further reading|see also|up next|editor's picks|top stories)\W*$",
)

#: Headings over small print by kind; what follows one at the end of a text is small print too.
SMALL_PRINT_HEADINGS: tuple[Rule, ...] = (
    _rule(
        "disclaimer",
        4,
        r"^(?:disclaimer|haftungsausschluss|risikohinweis|bitte beachten(?: sie)?|rechtlicher hinweis|wichtiger hinweis|important (?:notice|information)|"
        r"legal notice|disclosure|forward-looking statements|safe harbor statement)\W*$",
    ),
    _rule("credit", 2, r"^(?:quellen|quellenangaben?|sources|references):$"),
)

#: Asks whether to trade, in a sentence or by naming both sides. A line of nothing but such questions sells something;
#: a single one may be a heading.
TRADE_QUESTION = _any(
    r"(?:sollten?|sollen|müssen|können|dürfen) (?:(?:\S+ ){0,2}?(?:anleger|aktionäre|investoren|\S+-(?:aktionäre|anleger|investoren))|sie|ich|man|du) "
    r"(?:\S+ ){0,6}?(?:kaufen|verkaufen|einsteigen|aussteigen|zugreifen|handeln|zuschlagen|nachkaufen|trennen|investieren|reagieren|abstoßen|nachlegen|kasse machen|gewinne mitnehmen)",
    r"(?:lohnt|lohne|rechnet) sich (?:\S+ ){0,6}?(?:einstieg|kauf|investment|nachkauf|ausstieg|engagement|einsteigen)",
    r"(?:ist|sind|bleibt) (?:\S+ ){0,6}?(?:ein kauf|kaufenswert|ein schnäppchen|(?:zeit|(?:ihre|die|eine) (?:chance|gelegenheit)) (?:zum|für den) (?:ein|aus)stieg|der richtige (?:zeitpunkt|moment))",
    r"(?:jetzt|noch|sofort|schnell) (?:kaufen|verkaufen|einsteigen|aussteigen|zugreifen)",
    r"(?:should|must|do) (?:(?:\S+ ){0,2}?(?:investors|shareholders|holders|traders)|you|i|we) (?:\S+ ){0,4}?(?:buy|sell|hold|invest|get in|get out|cash out|jump in|bail out|"
    r"dump|act|step in|exit)",
    r"(?:is|isn't) (?:it|now|this) (?:\S+ ){0,5}?(?:to (?:buy|sell|dump|exit|invest|act|cash out)|to get in|to get out|to invest|getting in|buying|selling|jumping in|entry point|to exit|an entry)",
    r"is (?:\S+ ){1,6}?(?:a|still a|now a) (?:(?:good|strong|screaming) )?(?:buy|sell|bargain|case for (?:buying|selling))",
    r"(?:does|will|would) it (?:\S+ ){0,2}?(?:pay|make sense) to (?:buy|get in|invest|sell)",
)
TRADE_SIDES = _any(
    r"(?:kaufen|verkaufen|halten|handeln|einsteigen|aussteigen)(?:, \w+)? oder (?:\S+ ){0,2}?(?:kaufen|verkaufen|halten|einsteigen|aussteigen|abwarten|warten)",
    r"(?:buy|sell|hold)(?:, \w+,?)? or (?:\S+ ){0,2}?(?:sell|hold|buy|wait)",
)

#: Signs that need one another: an offer, a call to act on it, and the excitement around it.
OFFER = _any(
    _FREE_PRODUCT,
    rf"(?:neue[nrsm]?|neu(?:e?ste[nrsm]?)|aktuelle[nrsm]?|exklusive[nrsm]?|kostenlose[nrsm]?|gratis|brandneue[nrsm]?|unser\w{{0,2}}) (?:\S+ ){{0,2}}?"
    rf"(?:\S+-)?(?:{_PRODUCT}|empfehlungsliste|börsenbrief\w*|aktientipps?|depot-?check|favoritenliste)",
    r"(?:drei|fünf|zehn|[3-9]|10) (?:\S+ )?(?:besten )?(?:\S*aktien|etfs)|turbo-?(?:zertifikat|optionsschein)\w*",
    r"(?:new|free|latest|exclusive|special|current|brand-new|our) (?:\S+ ){0,2}?(?:analysis|report|guide|stock picks?|watchlist|briefing|research note|"
    r"shortlist|full list|top picks?)",
    r"(?:three|five|ten|[3-9]|10) (?:\S+ )?(?:best |top )?(?:stocks|shares|etfs)",
)
ACTION = Phrases(
    r"\b(?:lesen|erfahren|entdecken|sehen|laden|holen|fordern|klicken|sichern) sie (?:jetzt|hier|sich|im|in (?:der|unserem|unserer)|mehr|die antwort)\b",
    r"\b(?:erfahren sie|verrät ihnen|zeigt ihnen|sagt ihnen),? (?:jetzt )?(?:was|warum|wie|ob|welche|wann)\b",
    r"\bfinden sie (?:jetzt |alle details )?(?:hier|in (?:unser|der)\w*)\b",
    r"\b(?:hier|jetzt) (?:\S+ ){0,4}?(?:weiterlesen|klicken|lesen|herunterladen|anfordern|anmelden|sichern|erfahren|ansehen|freischalten)(?: sie\b|\W|$)",
    r"\b(?:die antwort (?:liefert|gibt|verrät|steht in)|antworten (?:auf diese fragen )?(?:erhalten|finden|bekommen) sie)\b",
    r"\bhier geht es (?:zum|zur)\b|\b(?:kostenlos|gratis|unverbindlich) (?:anmelden|registrieren|anfordern|herunterladen|sichern)\W*$",
    rf"{_BEGIN}(?:to find out (?:which|what|why|how|whether)|get the (?:answers?|details|full story))\b",
    rf"{_BEGIN}(?:find out|learn|discover|see) (?:here|now|more|what|why|how|whether|which|in|the full)\b",
    rf"{_BEGIN}(?:click|read|tap|download|order|get|grab|request|claim) (?:(?:it|more|on) )?(?:here|now|today|your|our|this|the (?:full|complete|whole|free))\b",
    r"\b(?:download|get|grab|see|claim) (?:the )?(?:\d+|three|five|seven|ten) (?:best|top)\b",
    r"\b(?:click|tap) here\b|\bread the (?:full|complete) (?:report|analysis)(?: \S+){0,3}\W*$",
)
HYPE = _any(
    r"(?:sprechen|spricht) eine (?:klare|deutliche) sprache|lassen aufhorchen",
    r"(?:dringende[rnm]?|akute[rnm]?) handlungsbedarf|was (?:\S+ ){0,2}?(?:jetzt )?zu tun ist|was (?:anleger|aktionäre|investoren|sie) jetzt (?:tun|wissen) (?:sollten|müssen)",
    r"diese (?:\S+ ){0,2}?aktien? (?:\S+ ){0,4}?(?:depot|jetzt kennen|jetzt kaufen|explodieren|verdoppeln)",
    r"verpassen sie (?:nicht|keine)|könnten? (?:de[rn]|die|das) nächsten? \S+ (?:werden|sein)|nicht verpassen|geheimtipp|(?:liefert|gibt|kennt|hat) (?:ihnen )?(?:jetzt )?die antwort|jetzt handeln",
    r"speaks? (?:for themselves|for itself|a clear language|volumes)|act now|urgent(?:ly)? (?:need|action|needed)|don't (?:miss|wait)|"
    r"what (?:to do|you should do|investors should do) (?:now|next)|(?:could|may|set to) (?:soar|explode|double|skyrocket)|top stocks? to buy|best stocks to buy|"
    r"before it's too late|could (?:be|become) the next|(?:delivers|provides|reveals|has|gives) (?:you )?the answer|our (?:experts|analysts) (?:prefer|recommend|like)",
)
