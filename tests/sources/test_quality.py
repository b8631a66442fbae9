"""Scores with names become the fields they stand for, and other scores stay out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.sources.quality import Score, judged, scores_at


@pytest.mark.parametrize(
    ("score", "wanted"),
    [
        (Score("user-feedback", 1), {"thumb": True}),
        (Score("User Feedback", -1), {"thumb": False}),
        (Score("thumbs_up", 0), {"thumb": False}),
        (Score("thumbs", None, "thumbs down"), {"thumb": False}),
        (Score("feedback", True), {"thumb": True}),
        # more than up or down is a rating
        (Score("user_feedback", 4), {"rating": 4.0}),
        (Score("Relevance", 0.75), {"rating": 0.75}),
        (Score("hallucination", 1), {"hallucination": True}),
        (Score("Hallucination", 0.2), {"hallucination": False}),
        # a label says what a number means: scales differ, and some are turned round
        (Score("hallucination", 1, "factual"), {"hallucination": False}),
        (Score("hallucination", 0, "hallucinated"), {"hallucination": True}),
        (Score("escalated", "true"), {"escalated": True}),
        (Score("rating", "good"), {}),
        (Score("toxicity", 1), {}),
        (Score("latency", 3), {}),
        (Score("rating", None), {}),
    ],
)
def test_a_score_is_the_field_its_name_stands_for(score, wanted):
    assert judged([score]) == wanted


def test_what_people_say_comes_before_evaluators_and_several_of_a_kind_are_averaged():
    scores = [Score("relevance", 0.1), Score("rating", 5), Score("rating", 4), Score("correctness", 1)]
    assert judged(scores) == {"rating": 4.5}


@given(
    st.lists(st.tuples(st.sampled_from(["rating", "thumb", "stars", "x"]), st.integers(-1, 5))), st.randoms()
)
def test_the_order_of_scores_does_not_matter(pairs, chance):
    scores = [Score(*pair) for pair in pairs]
    assert judged(scores) == judged(chance.sample(scores, len(scores)))


def test_scores_among_attributes_are_found_by_their_prefix():
    found = scores_at([
        "eval_Hallucination_label", "eval_Hallucination_score", "eval_note", "annotation_user feedback_label",
        "llm_model_name",
    ])  # fmt: skip
    assert set(found) == {
        ("Hallucination", "eval_Hallucination_score", "eval_Hallucination_label"),
        ("user feedback", None, "annotation_user feedback_label"),
    }
