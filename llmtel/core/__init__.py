"""The waist: the canonical call, units, catalogs and answers. No I/O, no command line."""
