"""`minet doctor`: what works on this machine."""

import click

from minet_core.errors import MinetError


@click.command()
def doctor() -> None:
    """Show what works here, and what missing parts are for.

    Lists versions, devices, codecs, weights and optional packages. Include it when you report a
    problem.
    """
    from minet_core.doctor import examine

    broken = []
    for title, findings in examine().items():
        click.echo(title)
        width = max((len(finding.name) for finding in findings), default=0)
        for finding in findings:
            click.echo(f"  {finding.name:{width}}  {finding.text}")
        broken += [finding.name for finding in findings if finding.broken]
    if broken:
        raise MinetError(f"minet cannot work here because of {', '.join(broken)}")
