import pytest

from mltox.scoring.normalise import normalise


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("you are a 🌟", "you are a glowing star"),
        ("you are a 💩", "you are a shit"),
        ("🖕", "middle finger"),
        ("🤡🤡🤡", "clown face"),
        ("🤡 🤡", "clown face clown face"),
        ("🤡🐀🤡", "clown face rat clown face"),
        ("lol😂!", "lol laughing !"),
        ("I ❤️ it", "I red heart it"),
        ("👩🏿", "woman dark skin tone"),
        ("🏳️‍🌈", "rainbow flag"),
        ("👨‍👩‍👧", "family man woman girl"),
        ("☠️", "skull and crossbones"),
        ("#proud🏳️‍🌈", "#proud rainbow flag"),
        ("no picture: é ü 漢字 – … €", "no picture: é ü 漢字 – ... €"),
    ],
)
def test_emoji_are_read_by_name(text: str, plain: str) -> None:
    assert normalise(text) == plain


def test_a_picture_of_no_name_stays() -> None:
    assert normalise("a \U0001fbff b") == "a \U0001fbff b"
