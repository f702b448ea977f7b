"""Links from the app's own texts to the glossary. What users wrote does not pass through here."""

from __future__ import annotations

from cnnlab.learn.glossary import Term, mentions, named

MOST = 3  # links in a text: more would hide what it says


def linked(text: str, title: str = "") -> str:
    """Markdown ``text`` with the first mention of each of the first MOST terms as a link to its meaning.

    Where its ``title`` is a term that the text does not mention, that is linked behind it.
    """
    found = mentions(text, MOST)
    parts, at = [], 0
    for mention in found:
        word = text[mention.start : mention.end]
        parts += [text[at : mention.start], f"[{word}]({address(mention.term)})"]
        at = mention.end
    parts.append(text[at:])
    term = named(title)
    if term and term not in [mention.term for mention in found]:
        parts.append(f" Glossary: [{title.lower()}]({address(term)}).")
    return "".join(parts)


def address(term: Term) -> str:
    """The term's place in the glossary, from any page, whatever path the app is served below."""
    return f"Learn?chapter=glossary&term={term.slug}"
