"""Commands whose help has the options in groups."""

from collections.abc import Mapping, Sequence
from typing import Any

import click


class SectionedCommand(click.Command):
    """A command with a heading over each group of its options.

    Args:
        sections: title → names of its parameters, most used first. All others, such as `help`,
            come last.
    """

    def __init__(
        self, *arguments: Any, sections: Mapping[str, Sequence[str]], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        records = {
            parameter.name: record
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            if (record := parameter.get_help_record(ctx))
        }
        *_, last = self.sections
        for title, names in self.sections.items():
            rows = [records.pop(name) for name in names]
            with formatter.section(title):
                formatter.write_dl([*rows, *records.values()] if title == last else rows)
