"""Tokens are counted as OpenAI counts them, from ranks in the package, however long or odd the text."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtel.tokens import counting, encodings
from llmtel.tokens.counting import Counter

SHARED = Path(__file__).parents[2].parent / "shared"
VECTORS = SHARED / "vectors/tokens.json"
PUBLISHED = {
    # https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py, `expected_hash`
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_packed_ranks_are_those_that_were_published(name):
    digest = hashlib.sha256()
    for token, rank in sorted(encodings.ranks(name).items(), key=lambda pair: pair[1]):
        digest.update(base64.b64encode(token) + f" {rank}\n".encode())
    assert digest.hexdigest() == PUBLISHED[name]


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared data is not here")
def test_texts_have_their_known_token_ids():
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        for name in PUBLISHED:
            assert encodings.encoding(name).encode_ordinary(vector["text"]) == vector[name]
            assert Counter().counts([vector["text"]], name) == [len(vector[name])]


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_million_blanks_are_counted(blank):
    [count] = Counter().counts([blank * 1_000_000], "o200k_base")
    assert 1_000 < count < 100_000


def test_a_special_token_in_a_text_is_text():
    assert Counter().counts(["<|endoftext|>"], "o200k_base")[0] > 1


def test_a_lone_surrogate_is_counted():
    assert Counter().counts(["a\ud800b"], "o200k_base")[0] >= 1


def test_a_long_text_cut_into_pieces_counts_about_the_same():
    line = "The cat sat on the mat, and the dog on the log.\n"
    one = Counter().counts([line], "o200k_base")[0]
    [many] = Counter().counts([line * 10_000], "o200k_base")
    assert many == pytest.approx(one * 10_000, rel=1e-4)


@given(st.lists(st.text(max_size=40), max_size=20))
def test_each_text_has_its_own_count_whatever_stands_beside_it(texts):
    together = Counter().counts(texts, "o200k_base")
    assert together == [Counter().counts([text], "o200k_base")[0] for text in texts]


def test_a_repeated_text_is_encoded_once(monkeypatch):
    counter = Counter()
    first = counter.counts(["a system prompt"] * 3, "o200k_base")
    monkeypatch.setattr(counting, "encoding", None)
    assert counter.counts(["a system prompt"], "o200k_base") == first[:1]


def test_without_ranks_a_count_is_a_quarter_of_the_characters(monkeypatch):
    def missing(_name):
        raise encodings.NoRanks

    monkeypatch.setattr(counting, "encoding", missing)
    counter = Counter()
    assert counter.counts(["12345678", "123456789"], "o200k_base") == [2, 3]
    assert not counter.ranked


@pytest.mark.parametrize("damage", [lambda b: b[:100], lambda b: b"x" + b, lambda _: b""])
def test_damaged_ranks_are_refused_in_words(damage):
    packed = Path(encodings.__file__).with_name("ranks").joinpath("cl100k_base.bin.xz").read_bytes()
    with pytest.raises(encodings.NoRanks, match="install llmtel again"):
        encodings.unpacked(damage(packed))
