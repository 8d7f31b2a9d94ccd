# ruff: noqa: E501 -- sample sentences stay whole
"""Promotion in flat texts: found where it stands, left alone where it only looks like it."""

from pathlib import Path

import pytest

from pipeline.read import promotion_spans

SEED = Path(__file__).resolve().parents[3] / "shared" / "seed" / "alibaba_de.txt"

PROSE_DE = [
    "Der Softwarekonzern Nordlicht hat im dritten Quartal 12 Prozent mehr umgesetzt als ein Jahr zuvor, teilte das Unternehmen in Kiel mit.",
    "Finanzchefin Petra Ahlers sprach von einem ordentlichen Geschäft, verwies aber auf die gestiegenen Kosten für Rechenzentren.",
    "Analysten hatten im Schnitt mit einem etwas höheren Gewinn gerechnet; die Aktie gab am Nachmittag um 2,1 Prozent nach.",
]
PROSE_EN = [
    "Brightwater Energy raised its outlook for the year on Tuesday after orders for grid batteries climbed 18% in the third quarter.",
    "Chief executive Dana Whitlock told reporters that the new plant in Leeds would open in spring, three months later than planned.",
    "Shares in the company fell 4% in early trading as investors weighed the delay against the stronger order book.",
]

PROMOTION_DE = [
    "Dieser Beitrag ist Abonnenten vorbehalten.",
    "Sie haben schon ein Digital-Abo? Hier anmelden",
    "Weiterlesen mit Hafenbote Plus",
    "Wie Sie von der Nordlicht-Aktie profitieren, lesen Sie im kostenlosen Spezialreport.",
    "Dieser Zulieferer könnte der nächste Nordlicht-Konzern werden: hier den Namen gratis sichern!",
    "Klicken Sie hier, um die Analyse zur Nordlicht-Aktie zu laden.",
    "Die Studie gibt es nur noch heute kostenfrei.",
    "Jetzt 14 Tage testen: alle Analysen für 99 Cent",
    "Noch ist Zeit! Zum Gratis-Report >>",
    "Müssen Anleger jetzt handeln? Oder ist bei Nordlicht weiter Geduld gefragt?",
    "Nordlicht-Aktie: Jetzt einsteigen oder abwarten? Die brandneue Nordlicht-Analyse vom 3. März gibt die Antwort:",
    "Die jüngsten Nordlicht-Zahlen lassen aufhorchen: Für Nordlicht-Aktionäre besteht akuter Handlungsbedarf. Sollten Sie jetzt kaufen oder "
    "lieber aussteigen? Die kostenlose Analyse vom 3. März verrät Ihnen, was jetzt zu tun ist.",
    "Nordlicht: Halten oder verkaufen? Jetzt weiterlesen …",
    "Jetzt den kostenlosen Sonderreport herunterladen!",
    "Laden Sie sich hier den Gratis-Report zur Nordlicht-Aktie herunter.",
    "Ist Nordlicht jetzt ein Kauf? Oder sollten Anleger die Finger von der Aktie lassen?",
    "Diese drei Aktien gehören jetzt in jedes Depot – hier klicken.",
    "Exklusiv für unsere Leser: Sichern Sie sich jetzt die Liste der fünf besten Dividendenaktien.",
    "Nordlicht kaufen oder verkaufen? Hier erfahren Sie die Antwort.",
    "Wie geht es mit der Nordlicht-Aktie weiter? Die Antwort finden Sie in unserer neuen Analyse.",
    "Mehr dazu erfahren Sie in unserem kostenlosen Börsenbrief.",
    "Jetzt Depot eröffnen und 50 Euro Bonus sichern",
    "Handeln Sie Aktien ab 0 Euro bei unserem Partner.",
    "Diese 5 Aktien sollten Sie jetzt kennen: Kostenlos anmelden!",
    "Vier Wochen kostenlos testen: alle Artikel, alle Analysen",
    "Hat Ihnen dieser Artikel gefallen? Dann unterstützen Sie uns mit einer Spende.",
    "Weiterlesen auf der nächsten Seite",
    "Anzeige",
    "Anzeige: Tagesgeld mit 3,5 Prozent Zinsen bei der Musterbank",
    "Anzeige: Mit diesem Depot handeln schon zwei Millionen Kunden günstig, bequem und ohne lange Wartezeiten an allen deutschen Börsen",
    "Ist das für Nordlicht der Beginn einer Erholung? Oder sollten Anleger besser Gewinne mitnehmen?",
    "Nordlicht vor dem Absturz? Oder ist der Rückschlag eine Gelegenheit zum Einstieg?",
    "Nordlicht: Handeln oder warten? Eine Antwort gibt es umsonst. Die Antwort steht in unserem Gratis-Report.",
    "Wohin steuert Nordlicht? Antworten finden Sie in der neuen Nordlicht-Analyse.",
    "Droht Nordlicht ein Übernahmekampf?! Die ausführliche Nordlicht-Analyse vom 3. März 2024 klärt auf.",
    "Nordlicht-Anleger aufgepasst: Am Dienstag läuft eine wichtige Frist ab!",
    "Gratis-PDF mit allen Ausschüttungen: Hier klicken",
    "Jetzt kostenfrei herunterladen: Die Checkliste für Ihr Depot",
    "Jetzt Kursziel zu Nordlicht per E-Mail bekommen",
    "Nordlicht: Hier geht es weiter",
    "Hafenbote Plus ohne Werbung lesen. Jetzt Jahresabo bestellen",
]
PROMOTION_EN = [
    "Want our full list? Download 5 Best Stocks for the Year Ahead.",
    "Don't miss this rare opportunity.",
    "Should shareholders sell now? Or is there still a case for buying Brightwater?",
    "Brightwater stock: buy or sell?! The new Brightwater analysis from March 3 has the answer:",
    "The latest Brightwater figures speak for themselves: urgent action needed for Brightwater shareholders. Is it worth getting in, or should "
    "you sell instead? Find out what to do now in the current free analysis from March 3.",
    "Brightwater: Buy or sell? Read more here...",
    "Before you buy stock in Brightwater, consider this:",
    "Our analyst team just identified what they believe are the 10 best stocks to buy now, and Brightwater was not one of them.",
    "Click here to download your free copy of our special report on battery stocks.",
    "Is Brightwater a buy right now? Or should investors look elsewhere?",
    "Want to know which three battery stocks our experts prefer? See the full list here.",
    "Don't wait: claim your free research report today.",
    "Discover what our analysts recommend now – read the full report for free.",
    "Is now the time to dump Brightwater? Or could patience pay off for shareholders?",
    "Brightwater at a crossroads: buy, sell or hold? Get the answer in our latest analysis.",
    "Should you invest $1,000 in Brightwater right now?",
    "To find out which stock our analysts rate higher, read our free report.",
    "Open a trading account today and get a $50 bonus.",
    "Our experts have found five stocks that could double by summer.",
    "Advertisement",
    "This story is available to Brightwater subscribers. Four weeks cost one dollar.",
    "Already a member? Log in",
    "Subscribe to keep reading",
]
OTHER_KINDS = [
    ("related", "Lesen Sie auch: Wie Nordlicht seine Rechenzentren kühlt"),
    ("related", "Mehr zur Nordlicht-Bilanz lesen Sie hier."),
    ("related", ">> Alle Quartalszahlen im Überblick"),
    ("related", "Read more: How Brightwater plans to cool its batteries"),
    ("related", "For more on energy storage, visit our special section."),
    ("newsletter", "Der Börsen-Newsletter informiert Sie jeden Morgen kostenlos in Ihrem Postfach."),
    ("newsletter", "Verpassen Sie nichts: Melden Sie sich für unseren Newsletter an."),
    ("newsletter", "Folgen Sie uns auf LinkedIn"),
    ("newsletter", "Sign up for our daily markets newsletter and get it straight to your inbox."),
    ("newsletter", "Follow us on Instagram for charts and videos."),
    ("disclaimer", "Dieser Beitrag stellt keine Anlageberatung dar."),
    ("disclaimer", "This article is for informational purposes only and does not constitute investment advice."),
    ("disclaimer", "Der Autor hält Aktien der im Text genannten Nordlicht SE."),
    ("credit", "Quelle: dpa-AFX"),
    ("credit", "Quelle: kuestenblatt.example"),
    ("credit", "© 2024 Musterverlag. Alle Rechte vorbehalten."),
    ("credit", "Reporting by Ann Example in Leeds; Editing by Bob Sample"),
    ("credit", "Aktualisiert am 03.03.2024, 14:05 Uhr"),
    ("consent", "Empfohlener externer Inhalt"),
    ("consent", "We use cookies to show you this content."),
    ("comment", "12 Kommentare anzeigen"),
    ("comment", "Join the conversation and leave a comment below"),
]
ORDINARY = [
    "Das Angebot ist Abonnenten vorbehalten, die seit einem Jahr zahlen, teilte der Verlag mit.",
    "The new service is for subscribers of its cable arm, Brightwater said.",
    "The publisher offers a 30-day free trial of its new magazine app.",
    "Telegram said it would close channels that sell stolen data.",
    "Fahrgäste können die Linie an diesem Wochenende testen.",
    "Anleger fragen sich, ob sie jetzt verkaufen sollten.",
    "Sollten Anleger jetzt verkaufen?",
    "Lohnt sich der Einstieg noch? Analystin Huber ist skeptisch: Das Papier sei hoch bewertet.",
    "Die Analysten der Musterbank raten in einer neuen Analyse zum Kauf und sehen das Kursziel bei 90 Euro.",
    "Eine neue Analyse der Notenbank liefert die Antwort.",
    "Die Verbraucherzentrale warnt vor Anzeigen, die mit einer Gratis-Analyse locken.",
    "Der Konzern bietet Kunden eine kostenlose App an, mit der sie Ladesäulen finden.",
    "Der Newsletter des Ministeriums informiert Bürger über neue Regeln.",
    "Wer jetzt kaufen will, muss länger warten als im Vorjahr.",
    "Im dritten Quartal sprechen die Zahlen eine klare Sprache: Der Umsatz stieg um 12 Prozent.",
    "Der Doppelapparat ging in der Beta-Phase an mehr als 300 Kunden.",
    "Bei einem Ausfall droht den Anlegern der Totalverlust, sagte Ahlers.",
    "Die Quelle: ein Brief, der der Redaktion seit Montag vorliegt und dessen Echtheit zwei Gutachter bestätigen.",
    "Von Kiel nach Hamburg fahren künftig mehr Züge.",
    "Das Unternehmen will die Zahl der Werbeanzeigen verringern und verkauft weniger Werbung.",
    "Mehr zum Stand der Verhandlungen will die Ministerin am Freitag sagen.",
    "Investors asked whether they should buy or sell.",
    "Should investors worry? Not yet, says analyst Jane Sample.",
    "The company said its free app lets users find out how much they spend.",
    "A new report from the ministry gives the answer.",
    "Subscribers who signed up for the newsletter last year received a refund.",
    "The latest report helps researchers learn how batteries age.",
    '"Don\'t miss the forest for the trees," the minister said.',
    "You can read more about the plan on the ministry's website, the spokesperson said.",
    "The sources: two letters, an invoice and a photograph that the court has accepted as evidence.",
    "Advertisement spending rose 5% and sponsored content twice as fast.",
    "By Friday the order book had grown to $4 billion.",
    "The bank lets customers open an account in its app, and the first 90 days are free of charge.",
    "Das Institut wirbt damit, dass Kunden binnen Minuten ein Konto eröffnen können.",
    "The regulator fined the broker for selling CFDs with hidden costs to private customers.",
    "Nordlicht-Aktie: Kaufen oder verkaufen?",
    "Cheap battery makers: buy or sell?",
    "Eine IW-Analyse vom 3. März zeigt, dass die Mieten in Kiel langsamer steigen.",
    "Was hat den Ausfall verursacht? Das klärt eine Untersuchung, deren Ergebnis am 3. März 2024 vorliegen soll.",
    "Die Antwort liefert der Quartalsbericht: Der Umsatz ging um 3 Prozent zurück.",
    "Viele Anleger wollten zum Jahresende Gewinne mitnehmen, sagte ein Händler.",
    "Hier geht es weiter, sagte Ahlers: Nordlicht baut in Kiel eine zweite Halle.",
    "Kunden können den Vertrag künftig jederzeit per E-Mail bestellen.",
    "Nach der Anzeige: Der Konzern trennt sich von zwei Managern.",
    "Copyright law needs a reform, the minister said.",
    "(C) marks sales made on the exporters' own account.",
    "Follow the money and you will find Leeds, the report says.",
]


def _found(lines: list[str], title: str = "", language: str | None = None) -> list[tuple[str, str]]:
    text = "\n".join(lines)
    return [(span.kind, text[span.start : span.end]) for span in promotion_spans(title, text, language)]


@pytest.mark.skipif(not SEED.exists(), reason="the seed article lies beside the checkout")
def test_the_seed_article_has_four_promotional_lines() -> None:
    text = SEED.read_text("utf-8")
    lines = text.splitlines()
    expected = [lines[i] for i in (9, 14, 15, 16)]
    assert [text[s.start : s.end] for s in promotion_spans("", text, "de")] == expected
    assert {s.kind for s in promotion_spans("", text, "de")} == {"promotion"}


@pytest.mark.parametrize("line", PROMOTION_DE)
def test_german_promotion_is_found_in_the_middle(line: str) -> None:
    assert _found([*PROSE_DE[:2], line, PROSE_DE[2]], language="de") == [("promotion", line)]


@pytest.mark.parametrize("line", PROMOTION_EN)
def test_english_promotion_is_found_in_the_middle(line: str) -> None:
    assert _found([*PROSE_EN[:2], line, PROSE_EN[2]], language="en") == [("promotion", line)]


@pytest.mark.parametrize(("kind", "line"), OTHER_KINDS)
def test_other_kinds_are_told_apart(kind: str, line: str) -> None:
    assert _found([PROSE_EN[0], PROSE_DE[0], line]) == [(kind, line)]


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_stay(line: str) -> None:
    assert _found([PROSE_DE[0], PROSE_EN[0], line, PROSE_DE[1], PROSE_EN[1]]) == []


def test_a_lone_question_beside_promotion_goes_with_it() -> None:
    question, offer = "Lohnt sich jetzt noch der Einstieg?", "Jetzt den kostenlosen Sonderreport herunterladen!"
    assert _found([*PROSE_DE, question, offer]) == [("promotion", question), ("promotion", offer)]
    assert _found([*PROSE_DE[:2], question, PROSE_DE[2]]) == []


def test_headlines_under_a_heading_for_links_go_but_the_next_subheading_stays() -> None:
    links = ["Mehr zum Thema", "Nordlicht kauft Rechenzentrum in Flensburg", "So kühlt Nordlicht seine Server"]
    assert _found([PROSE_DE[0], *links, "Ausblick bestätigt", PROSE_DE[1]]) == [("related", line) for line in links]


def test_small_print_runs_to_the_end() -> None:
    small = ["Disclaimer", "Brightwater and the publisher belong to the same group.", "All figures are estimates."]
    assert _found([*PROSE_EN, *small]) == [("disclaimer", line) for line in small]


def test_sources_at_the_end_are_credit() -> None:
    sources = ["Quellen:", "Stellungnahme des Verbands", "Geschäftsbericht der Nordlicht SE"]
    assert _found([*PROSE_DE, *sources]) == [("credit", line) for line in sources]
    assert _found([*sources, *PROSE_DE, *PROSE_EN]) == []


def test_bylines_count_at_the_edges_only() -> None:
    assert _found(["Von Petra Muster, Kiel", *PROSE_DE, "(pmu)"]) == [("credit", "Von Petra Muster, Kiel"), ("credit", "(pmu)")]
    assert _found([*PROSE_DE, *PROSE_EN, "By Ann Example", *PROSE_EN, *PROSE_DE]) == []


def test_a_line_that_is_the_title_is_no_promotion() -> None:
    title = "Nordlicht-Aktie: Sollten Anleger jetzt kaufen oder verkaufen?"
    assert _found([title, *PROSE_DE]) == [("promotion", title)]
    assert _found([title, *PROSE_DE], title=title) == []


def test_spans_are_offsets_into_the_text_as_given() -> None:
    text = "  Kopfzeile ohne Belang  \r\n\n\t* Anzeige \n" + PROSE_DE[0]
    (span,) = promotion_spans("", text, "de")
    assert (span.kind, text[span.start : span.end]) == ("promotion", "* Anzeige")


def test_other_languages_are_left_alone() -> None:
    assert _found(["Anzeige", *PROSE_DE], language="fr") == []


@pytest.mark.parametrize("prose", [PROSE_DE, PROSE_EN])
def test_a_cleaned_text_is_clean(prose: list[str]) -> None:
    spoiled = [
        PROMOTION_EN[3],
        prose[0],
        *PROMOTION_DE,
        prose[1],
        *(line for _, line in OTHER_KINDS),
        prose[2],
        "Mehr zum Thema",
        *PROMOTION_EN,
    ]
    text = "\n".join(spoiled)
    spans = promotion_spans("", text, None)
    taken = {text[s.start : s.end] for s in spans}
    left = [line for line in spoiled if line not in taken]
    assert left == prose
    assert promotion_spans("", "\n".join(left), None) == ()


def test_long_and_odd_texts_are_judged_quickly() -> None:
    for text in (
        "a " * 200_000,
        "\n" * 100_000,
        "? " * 50_000,
        "neue " * 1_000 + "\n",
        "Anzeige\n" * 5_000,
        "Von Petra Muster\n" * 5_000,
    ):
        spans = promotion_spans("", text, None)
        assert all(0 <= s.start < s.end <= len(text) for s in spans)
