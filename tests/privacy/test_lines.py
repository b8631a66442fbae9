"""Lines of JSON, cut into pieces and joined: what is not replaced comes out as it went in."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtel.privacy.lines import redact_lines
from llmtel.privacy.names import Names
from llmtel.privacy.pseudonyms import Pseudonyms
from llmtel.privacy.values import Policy, Tally

POLICY = Policy(Names(), Pseudonyms(bytes(32)), ())
KEPT = Policy(Names(), Pseudonyms(bytes(32)), (), text="keep")
HARD = st.text(st.sampled_from('"\\:{}[],\n \ue000\ue002\ue003aé'), max_size=8)


@given(st.lists(st.tuples(HARD, st.integers()), max_size=3), st.booleans())
@example([('\\"', 1), ("\\", 2), ('\ue002"', 3)], True)
@settings(max_examples=20)
def test_quotes_and_backslashes_in_texts_are_no_ends_of_them(rows, is_ascii):
    records = [{"n": n, "content": f"it says: {text}", "ok": [None, True]} for text, n in rows]
    lines = "".join(json.dumps(one, ensure_ascii=is_ascii) + "\n" for one in records).encode()
    assert redact_lines(lines, KEPT, Tally()) == lines


def test_what_a_line_ends_with_says_nothing_of_the_next():
    line = b'{"colour":"red","content":"hi there"}\n'
    assert redact_lines(3 * line, POLICY, Tally()) == 3 * b'{"colour":"red","content":""}\n'
