"""All questions of Learn with their answers, as a sheet for teachers in Markdown."""

from __future__ import annotations

from string import ascii_uppercase

from cnnlab.learn.chapters import CHAPTERS, Chapter, Question

TITLE = "Questions and answers, for teachers"


def teachers_sheet(learn: str) -> str:
    """Write the sheet; ``learn`` is the URL of the list of chapters."""
    parts = [
        _chapter(number, f"{learn}?chapter={name}", chapter)
        for number, (name, chapter) in enumerate(CHAPTERS.items(), 1)
    ]
    head = (
        f"# {TITLE}\n\n"
        "From Learn in CNN Lab. Students guess one of three answers; then the app shows the right one, the number and "
        "where to see it. The first question opens a chapter, the second closes it."
    )
    return "\n\n".join([head, *parts]) + "\n"


def _chapter(number: int, link: str, chapter: Chapter) -> str:
    head = f"## {number}. {chapter.title}\n\n{chapter.promise} About {chapter.minutes} minutes. <{link}>"
    return "\n\n".join([head, *map(_question, chapter.questions)])


def _question(question: Question) -> str:
    answers = "\n".join(
        f"- {letter}. {answer}" for letter, answer in zip(ascii_uppercase, question.answers, strict=False)
    )
    letter = ascii_uppercase[question.answers.index(question.right)]
    return f"**{question.asks}**\n\n{answers}\n\nAnswer: {letter}. {question.reveal}"
