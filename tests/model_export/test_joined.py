import random

from model_export.examples import LabelledText
from model_export.joined import LONGEST_JOINED, fillers, joined
from model_export.passes import examples_of_pass

CLEAN = (0.0,) * 6
INSULT = LabelledText("you are a fool", (1.0, -1.0, -1.0, -1.0, 1.0, -1.0), "s")


def test_fillers_are_the_clean_texts_of_middle_length() -> None:
    examples = [
        LabelledText("The lake is  calm today\nand cold", CLEAN, "s"),
        LabelledText("too short", CLEAN, "s"),
        LabelledText("The lake is calm today, you fool", (0.9, *CLEAN[1:]), "s"),
        LabelledText("Nobody asked what else this is", (0.0, -1.0, *CLEAN[2:]), "s"),
        LabelledText("long " * 60, CLEAN, "s"),
    ]
    assert fillers(examples) == ["The lake is calm today and cold"]


def test_a_joined_text_keeps_the_insult_whole_and_its_labels() -> None:
    generator = random.Random(1)
    clean = ["The lake is calm.", "We met at noon", "x" * 300]
    texts = set()
    for _ in range(60):
        example = joined(INSULT, clean, generator)
        assert INSULT.text in example.text
        assert len(example.text) <= LONGEST_JOINED
        assert example.labels == INSULT.labels
        texts.add(example.text.find(INSULT.text))
    assert len(texts) > 2


def test_a_pass_answers_before_it_respells_and_takes_its_share() -> None:
    examples = [LabelledText(f"this is text number {n} of them", CLEAN, "s") for n in range(400)]
    seen: list[str] = []

    def answered(some: object) -> list[LabelledText]:
        assert isinstance(some, list)
        seen.extend(example.text for example in some)
        return [example._replace(labels=(0.5,) * 6) for example in some]

    drawn = examples_of_pass(examples, 0, cases=0, seed=1, share=0.5, answered=answered)
    assert 150 < len(drawn) < 250
    assert set(seen) <= {example.text for example in examples}
    assert {example.labels for example in drawn} == {(0.5,) * 6}
    assert {example.text for example in drawn} - set(seen)
    assert examples_of_pass(examples, 0, cases=9, seed=1) == examples_of_pass(
        examples, 0, cases=9, seed=1
    )
