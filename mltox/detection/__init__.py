"""Hourly series of a topic: what is unusual in them, and why. Imports no Beam.

One hour after the other: `monitor` (a topic) over `detector` (a metric). What an hour is compared
with: `season` (level, day, weekday, week: the reference), `nowcast` (how far the present is off
it), `families` (how counts and shares scatter), `copies` (posts that repeat each other). The
evidence: `windows` of 1 to 24 hours, on the scale of `scatter`, as a rate by `tails`; `new_level`
for what stays. `memory` is what a job keeps of it. `explain` names the words of an unusual hour by
`vocabulary` and `tokens`.

A finished collection is judged by `hindsight` and `gaps`. `general` takes any series; `detectors`
has both by name.
"""
