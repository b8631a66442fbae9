"""What tests of the command line share."""

import pytest

from llmtel.cli.app import run


@pytest.fixture
def llmtel(capsysbinary):
    """Run a command line: exit code, standard output, standard error."""

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call
