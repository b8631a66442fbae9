"""`llmtel cache`: what was kept of logs, and its end."""

from __future__ import annotations

from llmtel.cli import options as o


def info(share: o.Share = False, format_: o.Format = o.OutputFormat.TABLE, output: o.Output = None) -> None:
    """Where the cache is, and how large."""
    from llmtel import cache
    from llmtel.cli.output import write
    from llmtel.reports import keeping

    n, size = cache.size()
    name = "the cache" if share else str(cache.home())
    write(
        keeping.done(name, "cache", f"{name} · {_caches(n)}, {size:,} bytes", caches=n, bytes=size),
        format_,
        output,
    )


def clear() -> None:
    """Delete the cache: logs are read anew, and nothing of them is kept."""
    from llmtel import cache
    from llmtel.cli.output import write
    from llmtel.reports import keeping

    n, size = cache.clear()
    text = f"{_caches(n)} deleted, {size:,} bytes"
    write(keeping.done(str(cache.home()), "cache", text, caches=n, bytes=size), o.OutputFormat.TABLE, None)


def _caches(n: int) -> str:
    return f"{n:,} {'cache' if n == 1 else 'caches'}"
