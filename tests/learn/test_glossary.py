"""The glossary: whole in itself, found in texts where a link helps and nowhere else."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.learn.glossary import TERMS, Term, find, mentions, named
from cnnlab.ui.shell.glossary_links import MOST, address, linked


@pytest.mark.parametrize("term", TERMS.values(), ids=list(TERMS))
def test_a_term_is_told_in_a_sentence_or_two_and_leads_to_what_is_there(term: Term) -> None:
    assert 1 <= term.meaning.count(". ") + term.meaning.count(": ") + 1 <= 3
    assert term.meaning.endswith(".")
    assert len(term.meaning) < 220
    assert set(term.see) <= TERMS.keys() - {term.slug}
    assert term.see
    assert not term.chapter or term.chapter in CHAPTERS


def test_names_are_told_apart() -> None:
    names = [name.lower() for term in TERMS.values() for name in (term.name, *term.also)]
    assert len(names) == len(set(names))
    assert list(TERMS) == [term.slug for term in TERMS.values()]
    assert list(TERMS) == [term.slug for term in sorted(TERMS.values(), key=lambda term: term.name.lower())]


def test_every_chapter_explains_some_terms() -> None:
    assert {term.chapter for term in TERMS.values() if term.chapter} >= CHAPTERS.keys() - {"program"}


def found(text: str, most: int = 9) -> list[tuple[str, str]]:
    return [(mention.term.slug, text[mention.start : mention.end]) for mention in mentions(text, most)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kernels and filters, each a filter", [("filter", "Kernels")]),
        ("AdamW, not Adam", [("adamw", "AdamW"), ("adam", "Adam")]),
        ("Its learning rate", [("learning-rate", "learning rate")]),
        ("A cross-entropy is no entropy", [("cross-entropy", "cross-entropy")]),
        ("`stride` in code, [stride](there) and https://a.b/stride are left", []),
        ("An icon :material/filter: and $stride$", []),
        ("A run of many steps over a class of weights", []),  # everyday words
        ("Stridency", []),
        ("MACs, then multiply-accumulates", [("multiply-accumulate", "MACs")]),
    ],
)
def test_the_first_mention_of_a_term_is_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_text_has_few_links_and_loses_nothing() -> None:
    text = "Stride, padding, dilation, logits and softmax."
    links = linked(text)
    assert links.count("](") == MOST
    assert links.startswith(f'[Stride](Learn?chapter=glossary&term=stride "{TERMS["stride"].meaning}"), [padding](')
    assert links.endswith(" logits and softmax.")
    assert linked("Nothing to tell.") == "Nothing to tell."
    assert linked(links).count("](") > MOST  # what is linked is left, the rest goes on


def test_a_title_is_linked_behind_a_text_that_does_not_mention_it() -> None:
    told = linked("Is it right?", "Calibration")
    assert " Glossary: [calibration](Learn?chapter=glossary&term=calibration " in told
    assert linked("Is it right?", "Each class") == "Is it right?"
    assert "Glossary" not in linked("The filters.", "Filters")


@pytest.mark.parametrize("slug", TERMS)
def test_a_link_is_relative_and_names_its_term(slug: str) -> None:
    parts = urlsplit(address(TERMS[slug]))
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "Learn")
    assert parse_qs(parts.query) == {"chapter": ["glossary"], "term": [slug]}


def test_terms_are_found_by_their_names_first_then_by_their_meaning() -> None:
    assert [term.slug for term in find("kernel")] == ["filter"]
    assert find("learning rate")[0].slug == "learning-rate"
    assert "one-cycle" in [term.slug for term in find("learning rate")]
    assert find("no such word") == []
    assert named("Feature maps") == TERMS["feature-map"]
    assert named("Each class") is None
