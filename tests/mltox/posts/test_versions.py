from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.versions import PostVersion, VersionVerdict, has_sound_id, id_apart, settle

EARLY, LATE = PostVersion(1, "a"), PostVersion(2, "b")
VERSIONS = st.builds(PostVersion, st.integers(0, 3), st.sampled_from("abc"))


def test_of_a_networks_post_the_latest_version_stays() -> None:
    assert settle([LATE, EARLY], sound_id=True) == {
        LATE: VersionVerdict.KEPT,
        EARLY: VersionVerdict.SUPERSEDED,
    }


def test_rows_that_only_share_a_number_are_two_posts() -> None:
    assert settle([LATE, EARLY], sound_id=False) == {
        EARLY: VersionVerdict.KEPT,
        LATE: VersionVerdict.APART,
    }


def test_a_corrected_time_or_a_corrected_text_is_no_other_post() -> None:
    for corrected in (PostVersion(2, "a"), PostVersion(1, "b")):
        found = settle([EARLY, corrected], sound_id=False)
        assert found == {EARLY: VersionVerdict.SUPERSEDED, corrected: VersionVerdict.KEPT}


def test_what_is_stored_keeps_its_id() -> None:
    assert settle([EARLY], sound_id=False, stored=[LATE]) == {EARLY: VersionVerdict.APART}
    assert settle([LATE], sound_id=False, stored=[LATE]) == {LATE: VersionVerdict.KEPT}
    assert settle([PostVersion(9, "b")], sound_id=False, stored=[LATE]) == {
        PostVersion(9, "b"): VersionVerdict.KEPT
    }


def test_ids_of_networks() -> None:
    assert has_sound_id("x:1") and not has_sound_id("file:1")
    assert id_apart("file:1", EARLY) == id_apart("file:1", EARLY) != id_apart("file:1", LATE)


@given(st.lists(VERSIONS, min_size=1, max_size=8), st.booleans(), st.randoms())
def test_the_order_does_not_matter_and_no_version_is_lost(
    versions: list[PostVersion], sound: bool, order: object
) -> None:
    found = settle(versions, sound_id=sound)
    assert found == settle(sorted(versions, key=repr), sound_id=sound)
    assert set(found) == set(versions)
    kept = [
        version for version, verdict in found.items() if verdict is not VersionVerdict.SUPERSEDED
    ]
    assert list(found.values()).count(VersionVerdict.KEPT) == 1
    assert len(kept) == 1 or not sound
    # two posts that are kept share neither their text nor their time
    assert len({version.text for version in kept}) == len(kept)
    assert len({version.created_at for version in kept}) == len(kept)
