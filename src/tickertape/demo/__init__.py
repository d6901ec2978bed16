"""The demo: a simulated company whose traffic enters through the public interfaces, like anybody's."""

from tickertape.demo.run import remove, run

__all__ = ["remove", "run"]
