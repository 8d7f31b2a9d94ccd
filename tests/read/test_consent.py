# ruff: noqa: E501 -- sample sentences stay whole
"""Consent walls against articles, of which some are about consent."""

import pytest

from pipeline.read import read_page
from schemas.article import Reading, Unreadable

WALL_DE = (
    "Wir und unsere bis zu 88 Partner speichern Informationen auf Ihrem Gerät und verarbeiten personenbezogene Daten wie Kennungen.",
    "Ihre Einwilligung gilt auf allen unseren Seiten, und Sie können sie in den Einstellungen jederzeit widerrufen.",
    "Alle akzeptieren",
)
WALL_EN = (
    "We use cookies and similar tools so that we and our partners can show you personalised advertising and measure its audience.",
    "By clicking accept you consent to this use of your personal data, and you can change your choices whenever you like.",
    "Accept all",
)
RULING_DE = (
    "Der Bundesgerichtshof hat die Regeln für Cookies verschärft: Eine Einwilligung ist nur gültig, wenn sie ausdrücklich erteilt wird.",
    "Die Klage richtete sich gegen einen Anbieter von Gewinnspielen, der die Zustimmung zu personenbezogener Werbung vorausgewählt hatte.",
    "Fachleute für Datenschutz rechnen damit, dass viele Betreiber ihre Abfragen nun umbauen und die Einwilligung neu einholen.",
)
RULING_EN = (
    "A court fined a publisher because its cookie banner had a button to accept all but none to refuse consent to tracking.",
    "The privacy group behind the complaint said readers had been pushed to give up personal data they wanted to keep.",
    "The publisher said it would appeal and change how it asks for consent in the meantime.",
)
NEWS = "Der Softwarekonzern Nordlicht hat im dritten Quartal zwölf Prozent mehr umgesetzt als ein Jahr zuvor, teilte das Unternehmen mit."


def read(*paragraphs: str) -> Reading | Unreadable:
    body = "".join(f"<p>{p}</p>" for p in paragraphs)
    page = f"<html><head><title>Nordlicht</title></head><body><div><h1>Nordlicht</h1>{body}</div></body></html>"
    return read_page(page.encode(), "https://news.example/1")


@pytest.mark.parametrize("wall", [WALL_DE, WALL_EN])
def test_a_consent_wall_is_no_article_and_is_named(wall: tuple[str, ...]) -> None:
    assert read(*wall) == Unreadable(code="consent", detail="the page asks for consent and shows no article")


@pytest.mark.parametrize("ruling", [RULING_DE, RULING_EN])
def test_news_about_consent_is_news(ruling: tuple[str, ...]) -> None:
    reading = read(*ruling)
    assert isinstance(reading, Reading)
    assert reading.text == "\n".join(ruling)


def test_an_article_with_a_notice_is_an_article() -> None:
    reading = read(NEWS, *WALL_DE)
    assert isinstance(reading, Reading)
    assert NEWS in reading.text
