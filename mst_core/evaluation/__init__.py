"""Judging: what a transfer keeps and what it brings, by figures that know nothing of our networks.

Real tunes (`real_tunes`) become rhythms (`rhythm`); judges learn styles from them (`ngram`,
`contrast`, gathered in `court`). `form`, `knob`, `nature`, `copying` and `retrieval` measure one
claim each, `transfers` and `baselines` make what is measured, `trial` sends tunes through all of
it and `table` prints what came out.
"""
