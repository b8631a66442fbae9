"""`python -m llmtel`."""

from llmtel.cli.app import main

if __name__ == "__main__":
    main()
