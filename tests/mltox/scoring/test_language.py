import pytest

from mltox.posts.languages import language
from mltox.posts.records import UNSCORED
from mltox.scoring import Scorer
from mltox.scoring.language import in_languages, judged
from mltox.scoring.normalise import normalise


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"),
        ("EN-gb", "en"),
        ("en_US", "en"),
        ("de", "de"),
        ("in", "id"),
        ("iw", "he"),
        ("zh-Hant-TW", "zh"),
        ("und", None),
        ("zxx", None),
        ("qme", None),
        ("qht", None),
        ("", None),
        ("English", "en"),
        ("eng", "en"),
        ("ENG", "en"),
        ("deu", "de"),
        ("ger", "de"),
        ("cmn-Hans", "zh"),
        ("Klingonish", None),
        (None, None),
    ],
)
def test_declared_language(tag: str | None, code: str | None) -> None:
    assert language(tag) == code


def test_the_tag_is_believed() -> None:
    assert not in_languages("the cat sat on the mat with you", "fr", ["en"])
    assert in_languages("le chat est sur la table avec nous", "en", ["en"])


@pytest.mark.parametrize(
    "text",
    [
        "lol ok",
        "ur a f-ing moron",
        "stfu u nasty hag",
        "kys ugly pos lmao",
        "fk off u twat",
        "dumbass hoe ratio plus L",
        "smh dat boy wildin fr fr no cap",
        "ayo wassup fam u good",
        "@someone @other http://t.co/x",
        "😂😂😂 🔥",
        "",
        "12345 !!!",
        "Angela Merkel Berlin Bundestag",
        "omg bruh im deadass finna cry rn",
        "My favourite word is Schadenfreude, what is yours?",
    ],
)
def test_english_slang_and_texts_of_no_language_are_kept(text: str) -> None:
    assert in_languages(normalise(text), None, ["en"])


@pytest.mark.parametrize(
    "text",
    [
        "Ich gehe heute mit meinem Hund im Park spazieren und freue mich",
        "Hoy vamos a comer en casa de mi abuela con toda la familia",
        "Je ne sais pas pourquoi il pleut toujours le dimanche matin",
        "Oggi andiamo tutti insieme a mangiare la pizza in centro",
        "Hoje vamos comer na casa da minha avó com toda a família",
        "Bugün hava çok güzel ve herkes parka gidiyor, sen nerede kaldın",
        "Вчера мы всей семьёй ходили в театр",
        "今日はとても天気がいいので公園に行きました",
        "اليوم ذهبنا إلى السوق مع العائلة",
        "오늘은 날씨가 정말 좋네요 공원에 갑시다",
    ],
)
def test_other_languages_are_told(text: str) -> None:
    assert not in_languages(normalise(text), None, ["en"])


def test_a_model_of_several_languages() -> None:
    german = "Ich gehe heute mit meinem Hund im Park spazieren"
    assert in_languages(german, None, ["en", "de"])
    assert in_languages(german, "de-AT", ["en", "de"])


def test_what_a_text_was_taken_for_is_told() -> None:
    assert judged("the cat sat on the mat with you", None, ["en"]) == ("en", True)
    assert judged("ok", None, ["en"]) == (None, True)
    assert judged("x", "eng", ["en"]) == ("en", True)
    assert judged("Oggi andiamo tutti insieme in centro", None, ["en"]) == ("it", False)


def test_names_of_pictures_make_no_text_english() -> None:
    german = "Wir gehen heute Abend alle zusammen ins Kino " + "😂🤣😍🙄 " * 6
    assert Scorer(threads=1).score([german])[0] == UNSCORED
