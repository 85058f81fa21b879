"""Evaluation: metrics of style transfer and of new tunes, independent of our networks.

`run` evaluates everything that `mst evaluate` prints. Real tunes (`test_data`, `pieces`) become
rhythm sequences (`rhythm_features`). Two classifiers per pair of styles (`ngram_classifier`,
`logistic_regression`, cross-fitted in `style_classifiers`) estimate log-odds of the target style.
`form_preservation`, `strength_curve`, `distributions`, `phrases` and `retrieval` compute one family
of metrics each, `systems` and `baselines` produce what is measured, `transfer_eval` measures one
direction from style to style, and `report` formats the result.
"""
