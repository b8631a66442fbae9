"""The files that `llmtel init ci` writes: complete, to be read and changed.

`@LOGS@` and `@RUN@` stand for the folder of the logs and the command that makes them.
"""

from __future__ import annotations

GITHUB = """\
# Checks what the LLM calls of the evaluation cost, take and get wrong, against .llmtel/baseline.json.
name: llmtel
on: pull_request
permissions:
  contents: read
  pull-requests: write # for the comment
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install llmtel
      - name: Run the evaluation
        run: @RUN@
      - name: Check
        run: >-
          llmtel check @LOGS@ --format table --format github
          --format markdown=llmtel-comment.md --format junit=llmtel-junit.xml
      - name: Comment
        # The token of a pull request from a fork may not write; its result is in the summary.
        if: always() && hashFiles('llmtel-comment.md') != ''
        continue-on-error: true
        env:
          GH_TOKEN: ${{ github.token }}
          COMMENTS: repos/${{ github.repository }}/issues/${{ github.event.number }}/comments
          ONE: repos/${{ github.repository }}/issues/comments
        run: |
          marker=$(head -n 1 llmtel-comment.md)
          export marker
          id=$(gh api --paginate "$COMMENTS" \\
            --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.marker))) | .id' | head -n 1)
          if [ -n "$id" ]; then
            gh api -X PATCH "$ONE/$id" -F body=@llmtel-comment.md --silent
          elif grep -qE '^### (❌|⚠️)' llmtel-comment.md; then
            gh api "$COMMENTS" -F body=@llmtel-comment.md --silent
          fi
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: llmtel
          path: llmtel-*
"""
GITLAB = """\
# Checks what the LLM calls of the evaluation cost, take and get wrong, against .llmtel/baseline.json.
llmtel:
  image: python:3.12-slim
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  script:
    - pip install llmtel
    - @RUN@
    - >-
      llmtel check @LOGS@ --format table --format junit=llmtel-junit.xml
      --format gitlab=llmtel-quality.json --format openmetrics=llmtel-metrics.txt
      --format markdown=llmtel-comment.md
  artifacts:
    when: always
    paths: [llmtel-comment.md]
    reports:
      junit: llmtel-junit.xml
      codequality: llmtel-quality.json
      metrics: llmtel-metrics.txt
"""


def filled(template: str, logs: str, run: str) -> str:
    """A template with the logs and the command that makes them."""
    return template.replace("@LOGS@", logs).replace("@RUN@", run)
