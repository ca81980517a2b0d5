"""What went in, what is there after, and whether that is what must hold."""


class Report:
    def __init__(self, title):
        print(f"\n== {title}", flush=True)
        self.held = True

    def went_in(self, **counts):
        self._counts("in   ", counts)

    def is_there(self, **counts):
        self._counts("after", counts)

    def note(self, words):
        print(f"       {words}", flush=True)

    def must(self, what, found, holds, expected):
        """One thing that must hold."""
        self.held &= bool(holds)
        found = f"{found:.2f}" if isinstance(found, float) else found
        print(f"{'ok    ' if holds else 'FAILED'} {what}: {found} ({expected})", flush=True)

    def none(self, what, found):
        """Something that must not be; `found` is a number, or what was found."""
        number = found if isinstance(found, int) else len(found)
        self.must(what, number, number == 0, "must be 0")
        if number and not isinstance(found, int):
            for one in list(found)[:10]:
                print(f"         {one}")

    def within(self, what, found, limit):
        """A time in seconds."""
        self.must(what, found, found <= limit, f"at most {limit:g} s")

    @staticmethod
    def _counts(side, counts):
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in counts.items())
        print(f"{side}  {words}", flush=True)


def percentile(values, share):
    """Such as the 0.99 of some times."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def latencies(values):
    """In words, in milliseconds."""
    return ", ".join(
        f"{name} {percentile(values, share) * 1000:.1f} ms"
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    )
