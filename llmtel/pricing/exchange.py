"""A currency to show money in: one rate from a file that the user keeps. Nothing is looked up online.

```yaml
as_of: 2026-11-20
source: ECB reference rates
rates: {EUR: 0.92, GBP: 0.79}      # how much of it a US dollar is
```
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llmtel.core.errors import UsageError
from llmtel.pricing import book
from llmtel.pricing.rows import factor

_KEYS = ("as_of", "source", "base", "rates")


def rate(path: Path | None, code: str) -> Mapping[str, str | float]:
    """The `code`, what of it a dollar is (`per_usd`), and the `source` of that, with its day.

    `path` is the file of rates; by default `rates.yaml` beside the user's price file. Raises `UsageError`
    where it has no such rate, `ConfigError` with file and line where it cannot be used.
    """
    code = code.upper()
    place = path or book.user_file().with_name("rates.yaml")
    if path is None and not place.is_file():
        raise UsageError(f"a rate for {code} is needed: --rates FILE, with rates: {{{code}: 0.92}}")
    top = book.document(str(place), place).top.items(_KEYS)
    if "base" in top:
        top["base"].choice(("USD",))
    rates = {name.upper(): value for name, value in top["rates"].items().items()} if "rates" in top else {}
    if code not in rates:
        raise UsageError(f"{place} has no rate for {code}; it has {', '.join(rates) or 'none'}")
    day = f"of {top['as_of'].day()}" if "as_of" in top else "of no stated day"
    source = top["source"].text() if "source" in top else place.name
    return {"code": code, "per_usd": float(factor(rates[code])), "source": f"{source} {day}"}
