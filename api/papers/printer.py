"""A program that prints one paper with Typst and can do nothing else.

Whoever may replace a template is not trusted with the machine. Before the template is read, all
limits are set: no further file or socket can be opened (so nothing is read, imported or asked of
the network), and time and memory end. It reads JSON on its input and writes the PDF, or JSON of
what is wrong, on its output.
"""

import json
import resource
import sys

import typst

MEMORY = 1 << 30  # bytes of address space, Typst and its fonts among them
SECONDS = 10  # of the processor
LARGEST = 20_000_000  # bytes of a paper
WRONG, LARGE = 3, 4  # exit codes


def main() -> int:
    asked = json.load(sys.stdin.buffer)
    limits = {
        resource.RLIMIT_NOFILE: 3,  # the three that every program has
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: SECONDS,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))
    try:
        made = typst.compile(
            asked["source"].encode(),
            root=asked["root"],
            format="pdf",
            sys_inputs={"data": asked["data"]},
            ignore_system_fonts=True,
        )
    except typst.TypstError as error:
        told = {"message": error.message, "diagnostic": error.diagnostic, "hints": error.hints}
        sys.stdout.write(json.dumps(told))
        return WRONG
    except BaseException as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "PanicException":
            return LARGE
        raise
    if len(made) > LARGEST:
        return LARGE
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
