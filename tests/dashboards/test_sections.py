import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dashboards import sections
from dashboards.clock import PageClock
from dashboards.incidents import IncidentRun, incidents
from dashboards.past import PastRun, section
from dashboards.planted import Planted
from dashboards.queries import Day, Hour, Letters, ModelUse, TopicTotals
from dashboards.summary import Now
from dashboards.view import Told, View
from mltox.detection.gaps import HourSpan
from mltox.posts.records import DAY, HOUR, Anomaly, ForecastAccuracy, Micros

BAD = "<script>alert(1)</script>\"'&"
CALM = Now(50, 50, 0.1, 0.1, 0.05, 0.2)


class NoWarehouse:
    def query(self, sql: str, params: Sequence[Any] = ()) -> Any:
        raise AssertionError("the sections read no warehouse")

    def relation(self, name: str) -> str:
        raise AssertionError(name)


def totals(
    topic: str, posts: int = 100, unscored: int = 0, share: float | None = 0.1
) -> TopicTotals:
    return TopicTotals(topic, posts, unscored, 7, share, share, 0, 99 * HOUR, 0)


def view(
    *topics: TopicTotals,
    states: Sequence[Now] | None = None,
    found: dict[str, list[IncidentRun]] | None = None,
    letters: Sequence[Letters] = (),
    days: dict[str, list[Day]] | None = None,
    hours: dict[str, list[Hour]] | None = None,
    afterwards: dict[str, list[HourSpan]] | None = None,
    accuracies: Sequence[ForecastAccuracy] = (),
    clock: Micros = 100 * HOUR,
) -> View:
    return View(
        warehouse=NoWarehouse(),
        told=Told(),
        clock=PageClock(clock, live=False),
        totals=list(topics),
        models=[],
        letters=list(letters),
        states=list(states or [CALM] * len(topics)),
        incidents=found or {},
        afterwards=afterwards or {},
        gaps=[],
        planted=[],
        annotations=[],
        in_page=list(range(len(topics))),
        hours={t.topic: [] for t in topics} | (hours or {}),
        days=days or {},
        accuracies=list(accuracies),
    )


@pytest.mark.parametrize(
    ("topics", "title"),
    [
        ([], "Toxicity of topics"),
        (["a"], "Toxicity of a"),
        (["a", "b"], "Toxicity of a and b"),
        (["a", "b", "c"], "Toxicity of a, b and c"),
        (list("abcde"), "Toxicity of 5 topics"),
        (["x" * 99], "Toxicity of " + "x" * 39 + "…"),
    ],
)
def test_title(topics: list[str], title: str) -> None:
    assert sections.title([totals(topic) for topic in topics]) == title


def test_meta_says_what_when_and_by_which_model() -> None:
    models = [ModelUse("m@1", 9, HOUR), ModelUse(BAD, 1, 2 * HOUR)]
    text = sections.meta([totals("a")], models, PageClock(100 * HOUR, live=False))
    assert "1 Jan 1970, 00:00</time> to " in text
    assert "“now” is <time" in text and "5 Jan 1970, 04:00</time>, the end of these data" in text
    assert "scored by m@1, &lt;script&gt;" in text
    assert "1 Jan 1970, 02:00" in text
    assert "“now”" not in sections.meta([totals("a")], models, PageClock(100 * HOUR, live=True))


def test_tiles_weigh_topics_by_their_scored_posts_and_say_of_how_many() -> None:
    markup = sections.tiles(
        view(
            totals("a", 100, 50, 0.2),
            totals("b", 150, 0, 0.4),
            totals("c", 10, 10, None),
            letters=[Letters("parse", "missing_text", 1200, 0, 0, "", "")],
        )
    )
    assert "<dd>35.0 %<small>70 of 200 scored posts" in markup  # (50 * 0.2 + 150 * 0.4) / 200
    assert "<dd>260<small>60 in other languages" in markup
    assert "<dd>1,200<small>1 reason" in markup


def test_no_incident_is_told_without_the_hours_that_were_judged() -> None:
    hours = [Hour("a", at * HOUR, 10, 0, 0.1, 0.1) for at in range(72)]
    assert "<dd>0<small>in 66 of 72 hours that could be judged" in sections.tiles(
        view(totals("a"), hours={"a": hours})
    )
    more = [*hours, Hour("a", 72 * HOUR, 10, 0, 0.1, 0.1)]
    assert "in 67 of 73 hours" in sections.tiles(view(totals("a"), hours={"a": more}))
    whole = view(totals("a"), hours={"a": hours}, afterwards={"a": [HourSpan(0, 72 * HOUR)]})
    assert "in 72 of 72 hours" in sections.tiles(whole)


def test_overview_compares_now_with_usual(day: Callable[..., Day]) -> None:
    markup = sections.overview(
        view(
            totals("a"),
            totals(BAD),
            states=[Now(500, 400, 0.3, 0.1, 0.05, 0.2), Now(3, 0, None, None, None, None)],
            days={"a": [day(1), day(3, share=0.2)]},
            clock=4 * DAY,
        )
    )
    assert "▲ above usual" in markup
    assert "usual 10.0 % (5.0 % to 20.0 %)" in markup
    assert "30.0 %<br><small>of 400 posts" in markup
    assert "no scored posts" in markup
    assert 'data-topic="0"' in markup
    assert 'data-topic="1"' in markup
    assert "Toxic share by day, last 3 days" in markup
    assert "<script" not in markup
    assert 'href="#topic=%3Cscript%3Ealert%281%29%3C%2Fscript%3E%22%27%26"' in markup


def test_a_share_of_few_posts_is_grey_and_has_no_usual() -> None:
    markup = sections.overview(view(totals("a", 5, 0, 0.4), states=[Now(1, 1, 1.0, 0.0, 0.0, 1.0)]))
    assert '<span class="few">100.0 %</span><br><small>of 1 post</small>' in markup
    assert '<span class="few">40.0 %</span><br><small>of 5</small>' in markup
    assert "usual" not in markup and "too few posts" in markup


def test_a_silent_topic_is_told_so() -> None:
    silent = Now(0, 0, None, 0.1, 0.05, 0.2, silent=144)
    markup = sections.overview(view(totals("a"), states=[silent]))
    assert "no posts for 6 days" in markup and "0 in the last 24 h" in markup
    assert "as usual" not in markup


def test_an_open_incident_is_told_while_it_may_go_on(anomaly: Callable[..., Anomaly]) -> None:
    def shown(status: str, hour: Micros) -> str:
        found = {"a": incidents([anomaly(topic="a", status=status, hour=hour)])}
        return sections.overview(view(totals("a"), found=found))

    assert "1 ongoing" in shown("open", 99 * HOUR)
    assert "1 ongoing" not in shown("resolved", 99 * HOUR)
    assert "1 ongoing" not in shown("open", 20 * HOUR)


def test_of_many_topics_the_busiest_stand_in_the_markup() -> None:
    many = [totals(f"t{i:04d}", posts=i) for i in range(5000)]
    markup = sections.overview(view(*many))
    assert markup.count("<tr data-topic=") == sections.OVERVIEW_ROWS
    assert "t4999" in markup and "t0001" not in markup
    assert "4,950 more" in markup
    assert len(markup) < 60_000
    assert sections.options(many, [3, 4]).count("<option") == 2


def test_accuracy_shows_the_chosen_method_and_its_rivals() -> None:
    rows = [
        ForecastAccuracy("a", "posts", 0, "prophet", 168, 0.812, 0.2, 0.1, 0.79, 0.94, True),
        ForecastAccuracy("a", "posts", 0, "seasonal_naive", 168, 4e9, 0.2, 0.1, 0.8, 0.95, False),
        ForecastAccuracy("gone", "posts", 0, "short_mean", 168, None, None, None, None, None, True),
    ]
    markup = sections.accuracy(view(totals("a"), accuracies=rows))
    assert '<span class="chosen">Prophet</span>' in markup
    assert "Seasonal naive no measure" in markup and "4000000000" not in markup
    assert "79.0 %" in markup
    assert 'data-of="0"' in markup
    assert 'data-of="-1"' in markup
    assert "Short mean" in markup


def test_planted_incidents_are_found_or_missed(anomaly: Callable[..., Anomaly]) -> None:
    planted = [
        Planted("politics", 0, 3 * HOUR, "posts", "up", "volume_surge", "a final"),
        Planted("politics", 50 * HOUR, 60 * HOUR, "toxic_share", "up", BAD, ""),
    ]
    found = {"politics": incidents([anomaly(metric="posts", hour=2 * HOUR)])}
    markup = sections.planted(planted, found)
    assert "1 of 2 found" in markup
    assert "✓ found, no. 1" in markup
    assert "✗ missed" in markup
    assert "a final" in markup
    assert "<script" not in markup


def test_dead_letters_are_escaped_and_clipped() -> None:
    row = Letters("parse", "missing_text", 3, 0, HOUR, BAD, BAD + "y" * 20_000)
    markup = sections.letters([row])
    assert "missing text" in markup
    assert "<script" not in markup
    assert len(markup) < 3000


def test_cells_of_small_screens_are_named_as_their_columns(
    anomaly: Callable[..., Anomaly], day: Callable[..., Day]
) -> None:
    one = ForecastAccuracy("a", "posts", 0, "prophet", 168, 0.8, 0.2, 0.1, 0.79, 0.94, True)
    run = PastRun("a", "posts", 0, 24, 1.25, 0.5, 0.9, False)
    planted = [Planted("politics", 0, 3 * HOUR, "posts", "up", "volume_surge", "a final")]
    parts = [
        sections.overview(view(totals("a"))),
        sections.accuracy(view(totals("a"), accuracies=[one])),
        sections.planted(planted, {}),
        sections.letters([Letters("parse", "missing_text", 3, 0, HOUR, "m", "p")]),
        section([run], [], {}),
    ]
    for html in parts:
        head = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', html)
        cells = re.findall(r'<td data-label="([^"]*)"', html)
        assert len(head) > 3 and head[1:] == cells
        numbers = re.findall(r'<th scope="col"( class="n")?>', html)
        assert numbers[1:] == re.findall(r'<td data-label="[^"]*"( class="n")?>', html)


def test_each_part_has_an_empty_state() -> None:
    assert "No posts yet" in sections.overview(view())
    assert "No forecast was measured" in sections.accuracy(view())
    assert "None: every post could be used" in sections.letters([])
