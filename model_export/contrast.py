# ruff: noqa: E501 - templates read best on one line
"""Contrast cases of our own writing: pairs that share their words and differ in what is meant.

A classifier trained on moderated comments learns words, not meaning: it flags "I am gay", and
passes "they do not belong among decent people". The templates below are composed with groups,
persons and fillers in the manner of functional tests (Röttger et al. 2021, HateCheck; Gardner et
al. 2020, contrast sets). One template in five is held out from training, for the functional part
of the evaluation. Nothing here is copied from a published test.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from model_export.data import TRAINED_LABELS, UNKNOWN, Example

_GROUPS = (
    "women", "Muslims", "Jews", "gay people", "trans people", "immigrants", "refugees",
    "black people", "disabled people", "Mexicans", "Asians", "lesbians", "Arabs", "Christians",
    "Hindus", "Sikhs", "Roma", "Africans", "Indians", "Chinese people", "old people", "Catholics",
    "atheists", "white people", "autistic people", "foreigners", "Latinos", "queer people",
    "deaf people", "Poles", "Turks", "Pakistanis", "bisexuals", "indigenous people", "men",
)  # fmt: skip
_ONES = (
    "woman", "Muslim", "Jew", "gay man", "trans woman", "immigrant", "refugee", "black man",
    "disabled person", "Mexican", "lesbian", "Arab", "Christian", "Hindu", "Sikh", "black woman",
    "Catholic", "foreigner", "Latina", "trans man", "Pole", "Turk", "atheist", "blind man",
    "queer person", "wheelchair user", "Buddhist", "white man", "deaf girl", "bisexual",
)  # fmt: skip
_VERMIN = (
    "vermin", "parasites", "animals", "rats", "cockroaches", "a disease", "a plague", "subhuman",
    "filth", "garbage", "leeches", "maggots", "savages", "scum", "trash", "a cancer",
)  # fmt: skip
_VICES = (
    "stupid", "lazy", "disgusting", "dirty", "criminals", "inferior", "worthless", "evil",
    "thieves", "liars", "repulsive", "pathetic", "primitive", "dangerous", "degenerate",
)  # fmt: skip
_HARM = (
    "shoot", "hang", "kill", "stab", "burn", "beat up", "strangle", "run over", "hurt", "bury",
    "smash", "attack", "murder",
)  # fmt: skip
_NAMES = (
    "idiot", "moron", "loser", "clown", "pig", "liar", "coward", "imbecile", "dumbass", "jerk",
    "creep", "fool", "halfwit", "scumbag", "asshole", "piece of trash", "bitch", "cretin",
    "dimwit", "rat", "bastard", "prick", "twat",
)  # fmt: skip
_SWEARING = ("fucking", "damn", "goddamn", "bloody", "freaking")
_THINGS = (
    "pizza", "weather", "printer", "bus", "traffic", "match", "phone", "coffee", "exam", "movie",
    "update", "landlord's boiler", "wifi", "train", "song", "game", "alarm clock", "headache",
    "code", "homework", "couch", "queue", "referee's whistle", "keyboard", "salad",
)  # fmt: skip
_PLACES = (
    "school", "work", "church", "the market", "the gym", "our street", "the library", "the office",
    "parliament", "the clinic", "university", "the bakery", "the village", "the stadium",
)  # fmt: skip
_GOOD = (
    "kind", "wonderful", "brilliant", "welcome here", "just like us", "beautiful", "hard-working",
    "my friends", "strong", "great neighbours", "equal", "clever", "generous",
)  # fmt: skip
_DAYS = ("today", "yesterday", "last week", "on Monday", "this morning", "at the weekend", "again")
_START = ("", "", "", "", "Honestly, ", "Look, ", "Well, ", "lol ", "@user ", "Hey, ", "Sorry but ",
          "I mean, ", "So ", "Just saying: ", "Let's be honest, ", "RIP. ", "As always: ")  # fmt: skip
_END = ("", "", "", "", ".", ".", "!", "!!", " http", " ...", " lol", " smh", ", as usual.",
        " #facts", ", period.", " and that's it.", " 😂", ", don't you think?")  # fmt: skip

FILLERS: Mapping[str, tuple[str, ...]] = {
    "groups": _GROUPS,
    "one": _ONES,
    "vermin": _VERMIN,
    "vice": _VICES,
    "harm": _HARM,
    "name": _NAMES,
    "swear": _SWEARING,
    "thing": _THINGS,
    "place": _PLACES,
    "good": _GOOD,
    "day": _DAYS,
}


class Kind(NamedTuple):
    """A functionality: what it tests, the labels that are known of it, its templates."""

    name: str
    labels: Mapping[str, float]
    templates: tuple[str, ...]


_CLEAN = dict.fromkeys(TRAINED_LABELS, 0.0)
_HATE = {"toxicity": 1.0, "identity_attack": 1.0}
_THREAT = {"toxicity": 1.0, "threat": 1.0}

KINDS: tuple[Kind, ...] = (
    Kind("derogation", _HATE | {"insult": 1.0, "threat": 0.0}, (
        "{groups} are {vermin}", "{groups} are {vice}", "all {groups} are {vice}",
        "I hate {groups}", "I can't stand {groups}", "{groups} disgust me",
        "most {groups} are nothing but {vermin}", "that {one} is {vermin}, like all of them",
        "{groups} are less than human", "every single {one} I met was {vice}",
        "{groups} make me sick", "why are {groups} so {vice}?", "I despise every {one} on earth",
        "you are just another {vice} {one}", "{groups} have always been {vice} and {vice}",
        "nobody likes {groups}, they are {vermin}", "typical {one}, {vice} as ever",
        "{groups} smell and they are {vice}", "keep the {vermin} out, no more {groups}",
        "if you are a {one} you are {vermin}", "never trust a {one}, they are all {vice}",
        "I wish there were no {groups}", "is there anything more {vice} than {groups}?",
        "{groups}? {vermin}. That is all there is to say", "{groups} ruin everything they touch",
    )),
    Kind("implied_derogation", _HATE | {"obscene": 0.0, "threat": 0.0}, (
        "{groups} have no place in this country", "{groups} don't belong among decent people",
        "a {one} should never be allowed to vote", "{groups} should go back where they came from",
        "the world would be better off without {groups}", "send them all back, every {one}",
        "we would have no crime if it weren't for {groups}", "I'd never hire a {one}, you know why",
        "{groups} are not real people to me", "would you let your daughter marry a {one}? Exactly",
        "{groups} are taking over and want us gone", "you can't expect brains from a {one}",
        "keep your children away from {groups}", "{groups} belong at the bottom of society",
        "nobody asked for {groups} to exist", "{groups} deserve nothing from us",
        "I would move out if a {one} moved in next door", "history was right about {groups}",
        "being a {one} is a mental illness", "{groups} should be grateful we tolerate them",
        "who let a {one} into {place}? Get them out", "{groups} will never be as good as us",
        "there are too many {groups} at {place}, it used to be clean",
        "a {one} in charge? No wonder it all went wrong", "{groups} shouldn't have rights",
    )),
    Kind("negated_regard", _HATE, (
        "{groups} are not {good}", "{groups} do not deserve to live", "no {one} is ever {good}",
        "I will never respect {groups}", "{groups} don't deserve any help",
        "you can't call {groups} human", "nobody who is decent loves {groups}",
        "{groups} were never {good} and never will be", "I don't think a {one} can be trusted",
        "there is no such thing as a {good} {one}",
    )),
    Kind("threat_to_group", _HATE | {"threat": 1.0}, (
        "we should {harm} all {groups}", "someone should {harm} every {one} in town",
        "I will {harm} the next {one} I see", "{groups} will be lined up and shot soon",
        "let's {harm} {groups} {day}", "{groups} deserve to be wiped out",
        "time to get rid of {groups} for good", "the only good {one} is a dead one",
        "round up {groups} and gas them", "go and {harm} a {one}, do us a favour",
        "every {one} should hang", "I want to {harm} {groups} so badly",
    )),
    Kind("threat", _THREAT | {"identity_attack": 0.0, "obscene": 0.0}, (
        "I will {harm} you", "I am going to {harm} you and your family", "I'll find you and {harm} you",
        "you will be dead by tomorrow", "I know where you live, watch your back",
        "someone should {harm} you", "I hope you die {day}", "say that again and I'll {harm} you",
        "you'd better run, I am coming to {place} with a knife", "go kill yourself",
        "we will {harm} you when you come to {place}", "your kids won't come home from {place}",
        "I swear I will {harm} that man {day}", "keep talking and you'll end up in a ditch",
        "hope somebody {harm}s you", "next time I see you at {place} you bleed",
    )),
    Kind("harmless_violence_words", _CLEAN, (
        "I could {harm} for a {thing}", "this {thing} is killing me", "that {thing} is to die for",
        "we killed it at {place} {day}", "I'm dying of laughter", "the {thing} died {day}",
        "she shot a great photo of the {thing}", "he stabbed the potato with a fork",
        "our team will destroy them {day}", "I will {harm} the boss in level three of the {thing}",
        "police say a man was shot near {place} {day}", "don't kill me but I forgot the {thing}",
        "they hang the {thing} on the wall at {place}", "I beat him at chess {day}",
        "I bombed the exam at {place}", "you nailed it, killer performance {day}",
    )),
    Kind("insult", {"toxicity": 1.0, "insult": 1.0, "identity_attack": 0.0, "threat": 0.0}, (
        "you are such a {name}", "what a {name}", "shut up, {name}", "you {swear} {name}",
        "he is a complete {name}", "@user is a {name} and a {name}", "go away, you {name}",
        "only a {name} would say that", "your mother raised a {name}", "congratulations, {name}",
        "stop lying you {name}", "the senator is a {name}", "this {name} again",
        "you have the brain of a {thing}", "you're too dumb to breathe", "nobody wants you here, {name}",
        "are you always such a {name} or only {day}?", "listen you little {name}, nobody cares",
        "everything you write is garbage and so are you", "you're a disgrace, you {name}",
        "even your friends think you are a {name}", "resign already you {name}",
        "thanks for proving that you are a {name}", "I've seen {thing}s smarter than you",
        "f u c k you, {name}", "stfu {name}", "gtfo you {name}", "you people are {vice} {name}s",
    )),
    Kind("implied_insult", {"toxicity": 0.9, "insult": 0.9, "obscene": 0.0, "threat": 0.0,
                            "identity_attack": 0.0}, (
        "did you eat paint chips as a child?", "your brain must be the size of a pea",
        "I'd explain it but I have no crayons with me", "you are the reason shampoo has instructions",
        "somewhere a village is missing its fool, and it is you", "nobody would notice if you left",
        "you bring everyone so much joy when you leave {place}", "a {thing} has more charm than you",
        "the world would be a better place without you", "you aren't the sharpest tool, are you?",
        "do you ever think before opening that mouth?", "go play in traffic",
    )),
    Kind("criticism", _CLEAN, (
        "I disagree with you about the {thing}", "that argument makes no sense to me",
        "your source does not support this claim", "the {thing} was bad {day}, do better",
        "this policy is wrong and harmful", "the senator voted against the bill {day}, shame",
        "I think the article about {place} is misleading", "please stop removing my edits",
        "you are wrong about {place}, here is why", "I'm disappointed in this decision",
        "this government has failed at {place}", "what a boring {thing}", "worst {thing} ever",
        "I hate this {thing}", "I can't stand {thing}s", "Mondays are disgusting",
        "the {thing} is garbage", "this {thing} is trash and should be recalled",
        "the {thing} at {place} is a disease", "cockroaches were found at {place} {day}",
        "rats are living under {place}", "weeds are parasites in my garden",
    )),
    Kind("profanity_no_target", {"toxicity": 0.2, "obscene": 1.0, "insult": 0.0, "threat": 0.0,
                                 "identity_attack": 0.0, "severe_toxicity": 0.0}, (
        "this {thing} is fucking great", "holy shit that was a good {thing}",
        "fuck yes, we won {day}", "I'm so fucking tired {day}", "shit, I forgot the {thing}",
        "what the fuck is up with this {thing}", "I love this shit", "damn that's a {swear} good {thing}",
        "fuck this {thing}", "the {thing} scared the shit out of me", "no fucking way!",
        "my {swear} {thing} broke {day}", "that {thing} kicks ass", "badass {thing}, man",
        "I feel like shit {day}", "fuck me, it is cold at {place}", "oh crap, the {thing}",
        "hell yeah {thing} time", "happy fucking birthday my love", "so much shit to do {day}",
    )),
    Kind("profane_abuse", {"toxicity": 1.0, "obscene": 1.0, "insult": 1.0}, (
        "fuck you, you {name}", "fuck off {name}", "you are a piece of shit", "eat shit, {name}",
        "fuck all {groups}", "you stupid fucking {name}", "suck my dick you {name}",
        "{groups} are fucking {vermin}", "get the fuck out of here, {name}", "you're full of shit, {name}",
        "your {thing} sucks and you are a fucking {name}", "fuck every {one} at {place}",
    )),
    Kind("negated_abuse", _CLEAN, (
        "{groups} are not {vermin}", "I don't hate {groups}", "{groups} are not {vice}",
        "you are not an {name}, don't worry", "I would never {harm} anyone", "he is no {name}",
        "it is wrong to say that {groups} are {vermin}", "nobody should hate {groups}",
        "not all {groups} are the same, and none are {vermin}", "I never said you were a {name}",
        "{groups} aren't {vice}, that is a myth", "we must not hate {groups}",
        "no {one} deserves to be called {vermin}", "I don't want to {harm} you, calm down",
        "we never said {groups} were {vice}", "stop believing that {groups} are {vice}",
    )),
    Kind("counter_speech", _CLEAN, (
        "saying \"{groups} are {vermin}\" is hateful and wrong",
        "\"I hate {groups}\" is not an opinion, it is bigotry", "stop calling {groups} {vermin}",
        "anyone who says {groups} are {vice} should be ashamed", "it hurts to hear \"{vice} {one}\"",
        "he was fired for tweeting \"{groups} are {vermin}\"", "do not use the words \"{vice} {one}\"",
        "they told me to go back where I came from, it still hurts",
        "someone wrote \"kill all {groups}\" on a wall at {place}, police investigate",
        "my teacher said that hating {groups} is never okay", "the man who shouted \"we should {harm} {groups}\" was arrested {day}",
        "I was called a {name} at {place} {day} and it hurt", "\"{groups} are {vice}\" - what a terrible thing to say",
        "if you think {groups} should be hurt, please get help", "people who attack {groups} are in the wrong",
        "imagine telling a child that {groups} are {vermin}", "reported: he wrote that a {one} should hang",
        "her book shows how the claim that {groups} are {vermin} led to murder",
    )),
    Kind("identity_neutral", _CLEAN, (
        "I am a {one}", "I am a proud {one}", "my neighbour is a {one}", "a {one} works at {place}",
        "{groups} live in our town", "we met two {groups} at {place} {day}", "a {one} won the race {day}",
        "{groups} are {good}", "I love {groups}", "I am a {one} and I love my {thing}",
        "there is a march for the rights of {groups} {day}", "my friend came out {day}, so proud",
        "the film is about a {one} who moves to {place}", "{groups} deserve respect",
        "a {one} and a {one} walk to {place} together", "new study on the health of {groups}",
        "being a {one} is hard sometimes", "are there many {groups} at {place}?",
        "{groups} can vote since {day}", "we should help {groups}", "every {one} is {good}",
        "thank you to the {one} who helped me at {place}", "hello, I'm a {one} from {place}",
        "it's wonderful that a {one} opened {place}", "{groups} and {groups} pray together at {place}",
        "as a {one} I found the {thing} funny", "not a {one}, but I support {groups}",
    )),
    Kind("reported_or_asked", _CLEAN, (
        "what does the word \"{name}\" mean?", "how do I report someone who calls me a {name}?",
        "the word \"{name}\" comes from old English", "who is the {name} in the story?",
        "is \"{name}\" a swear word in your country?", "the court fined him for writing \"{name}\"",
        "in the play the king calls the servant a {name}", "my {thing} calls me a {name}, autocorrect fail",
        "I was a {name} {day}, sorry for that", "I'm such a {name}, I left the {thing} at {place}",
        "I feel like an {name} {day}", "we watched a documentary about rats at {place}",
    )),
    Kind("friendly", _CLEAN, (
        "thank you so much for the {thing}", "have a great time at {place} {day}",
        "the {thing} at {place} was lovely", "you are so {good}", "congratulations, well deserved",
        "see you at {place} {day}", "could somebody help me with the {thing}?",
        "breaking: new {thing} announced at {place} {day}", "I miss you, get well soon",
        "what a game {day}", "best {thing} in town", "welcome to {place}, enjoy the {thing}",
    )),
)  # fmt: skip


def is_held_out(template: str) -> bool:
    """Whether a template is kept for the evaluation."""
    return zlib.crc32(template.encode()) % 5 == 0


def compose(count: int, seed: int, *, held_out: bool = False) -> list[tuple[str, Example]]:
    """About `count` distinct cases as (kind, example), spread evenly over the templates.

    Held-out cases carry no decoration before or after the template, training cases may.
    """
    generator = random.Random(seed)
    chosen = [
        (kind, template)
        for kind in KINDS
        for template in kind.templates
        if is_held_out(template) == held_out
    ]
    cases: dict[str, tuple[str, Example]] = {}
    for _ in range(-(-count // len(chosen))):
        for kind, template in chosen:
            text = _fill(template, generator)
            if not held_out:
                text = generator.choice(_START) + text + generator.choice(_END)
            labels = tuple(kind.labels.get(label, UNKNOWN) for label in TRAINED_LABELS)
            cases[text] = (kind.name, Example(text, labels, "contrast"))
    return list(cases.values())[:count]


def _fill(template: str, generator: random.Random) -> str:
    text = re.sub(r"\{(\w+)\}", lambda match: generator.choice(FILLERS[match.group(1)]), template)
    text = re.sub(r"\b([Aa]) (?=[AEIOaeio])", r"\1n ", text)
    text = re.sub(r"\b([Aa])n (?=[^AEIOUaeiou\W])", r"\1 ", text)
    draw = generator.random()
    return text if draw < 0.55 else text[0].upper() + text[1:] if draw < 0.95 else text.upper()
