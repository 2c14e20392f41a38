from itertools import permutations

from mltox.posts.records import ScoredPost
from pipelines.transforms.deduplicate import Candidate, superseded_by, winner


def candidate(created_at: int, text_hash: str, *, fresh: bool, model: str = "m@1") -> Candidate:
    post = ScoredPost(
        "t", "x:1", "x", None, "", text_hash, "en", created_at, 0, 0, model, "1", *[None] * 7
    )
    return Candidate(post, fresh)


def test_the_same_one_wins_in_any_order() -> None:
    candidates = [
        candidate(5, "b", fresh=False),
        candidate(3, "z", fresh=True),
        candidate(4, "a", fresh=True),
        candidate(4, "b", fresh=True),
    ]
    assert {winner(order) for order in permutations(candidates)} == {candidates[3]}


def test_a_new_model_touches_the_hour_of_the_old_one() -> None:
    old = candidate(4, "a", fresh=False, model="old@1")
    kept = candidate(4, "a", fresh=True, model="new@2")
    assert superseded_by(kept, [old, kept]) == [old._replace(superseded=True)]


def test_the_same_model_supersedes_nothing() -> None:
    old = candidate(4, "a", fresh=False)
    kept = candidate(4, "a", fresh=True)
    assert superseded_by(kept, [old, kept]) == []
