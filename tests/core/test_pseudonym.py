"""How pseudonyms are shown to people, and read from them."""

from llmtel.core.pseudonym import beginning, shortened


def of(*digests):
    return ["u_4b1f" + digest.ljust(32, "0") for digest in digests]


def test_a_pseudonym_is_shown_as_far_as_it_is_one_of_a_kind():
    one, other, third = of("aaaaaaaab", "aaaaaaaac", "ddd")
    assert shortened([one, third, "ada"]) == {one: "u_4b1faaaaaaaa…", third: "u_4b1fddd00000…"}
    assert shortened([one, one, other])[other] == "u_4b1faaaaaaaac…"


def test_pseudonyms_that_differ_in_their_last_digit_are_shown_whole():
    assert shortened(of("0", "0" * 31 + "1")) == {}


def test_what_is_shown_can_be_typed_and_other_texts_are_what_they_are():
    assert beginning("u_4b1faaaaaaaa…") == beginning("u_4b1faaaaaaaa...") == "u_4b1faaaaaaaa"
    assert [beginning(text) for text in ("ada…", "u_4b1faaaaaaaa", "u_nobody…", "u_4b…", "…")] == [None] * 5
