# SPDX-License-Identifier: MIT
"""Writes the results as Markdown and as a picture.

Results are results[section][load][program][round][column]. A ratio compares runs of the same round, so that the speed
of the machine cancels out. The tables have the median of the ratios, and their range over all rounds."""

import datetime
import os
import platform
import re
import statistics

LONGEST_BAR = 4
# How the names of this project's own programs begin or end.
OWN = re.compile(r"(lib)?tuntap|.* queues?$")
# What sections compare, by their keys; the others compare forwarders.
GROUPS = {"queues": "queues", "vpn": "VPNs"}


def ratios(runs, base, column):
    """Returns the ratio of each round that both programs have. A ratio above 1 is better."""
    pairs = [(runs[turn].get(column.key), base[turn].get(column.key)) for turn in runs if turn in base]
    return [own / other if column.more_is_better else other / own for own, other in pairs if own and other]


def spread(values):
    if not values:
        return ""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def amount(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def cells(section, load, runs, base):
    for column in section.columns(load):
        values = [result[column.key] for result in runs.values() if column.key in result]
        yield amount(column.summary(values)) if values else ""
        yield spread(ratios(runs, base, column)) if values else ""


def row(items):
    return "| " + " | ".join(items) + " |"


def table(section, load, programs):
    head = [section.loads[load]] + [text for column in section.columns(load) for text in (column.unit, "ratio")]
    base = programs.get(section.base, {})
    lines = [row(head), row(["---"] * len(head))]
    for name, runs in programs.items():
        version = section.versions.get(name)
        lines.append(row([f"{name} {version}" if version else name, *cells(section, load, runs, base)]))
    return "\n".join(lines)


def targets(section, results):
    """Returns a table that shows whether the medians reach the targets of a section, or None."""
    lines = [row(["target", "at least", "ratio", ""]), row(["---"] * 4)]
    for target in section.targets:
        programs = results.get(target.load, {})
        column = next(column for column in section.columns(target.load) if column.key == target.column)
        values = ratios(programs.get(target.program, {}), programs.get(target.base, {}), column)
        if values:
            text = f"{section.loads[target.load]}: {column.unit} of {target.program} to {target.base}"
            met = "met" if statistics.median(values) >= target.ratio else "missed"
            lines.append(row([text, f"{target.ratio:.2f}", spread(values), met]))
    return "\n".join(lines) if len(lines) > 2 else None


def tables(sections, results):
    lines = []
    for section in sections:
        if section.key in results:
            lines += [f"## {section.title}", ""]
            for load, programs in results[section.key].items():
                lines += [table(section, load, programs), ""]
            reached = targets(section, results[section.key])
            lines += [reached, ""] if reached else []
    return "\n".join(lines[:-1])


def machine():
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "?")
    kernel = platform.release().partition("-")[0]
    return f"Linux {kernel}, {model}, {os.cpu_count()} processors"


def bases(sections):
    """Returns a sentence about the base of each group of sections."""
    found = {}
    for section in sections:
        found.setdefault(section.base, GROUPS.get(section.key, "forwarders"))
    if len(found) == 1:
        return f"The base is {next(iter(found))}."
    return f"The bases are: {', '.join(f'{base} ({group})' for base, group in found.items())}."


def markdown(title, sections, results, rounds, command, picture):
    lines = [
        f"# {title}",
        "",
        f"Measured on {datetime.date.today()} by `{command}` on {machine()}.",
        f"Each of the {rounds} rounds runs all programs, one after the other. A ratio compares a program with the base of",
        "its table in the same round, and higher is better.",
        bases([section for section in sections if section.key in results]),
        "A table has the median of the ratios, and the range of all rounds in parentheses. Processor time varies less",
        "between days than the throughput of iperf3.",
        "",
        f"![Ratios]({picture})",
    ]
    lines += ["", tables(sections, results)]
    missing = [f"- {name}: {reason}" for section in sections for name, reason in section.missing.items()]
    if missing:
        lines += ["", "## Left out", "", *dict.fromkeys(missing)]
    return "\n".join(lines) + "\n"


def bars(section, load, programs, y):
    """Returns the bars of a table from y on, as elements of SVG, and the y below them."""
    column = section.columns(load)[0]
    heading = f"{section.loads[load]}: {column.unit.removeprefix('minimum ')}"
    out = [f'<text x="10" y="{y}" font-weight="bold">{heading}</text>']
    y += 8
    for name, runs in programs.items():
        values = ratios(runs, programs.get(section.base, {}), column)
        if not values:
            continue
        ratio = statistics.median(values)
        width = min(ratio, LONGEST_BAR) * 100
        colour = "#2a6f97" if OWN.match(name) else "#b0b0b0"
        out.append(f'<text x="190" y="{y + 11}" text-anchor="end">{name}</text>')
        out.append(f'<rect x="200" y="{y}" width="{width:.0f}" height="13" fill="{colour}"/>')
        out.append(f'<text x="{204 + width:.0f}" y="{y + 11}">{ratio:.2f}</text>')
        y += 17
    return out, y + 22


def chart(sections, results):
    """Returns a bar chart of the ratios in the first column of each table, in SVG."""
    caption = f"How many times as good as the program of each table that has 1.00. Bars end at {LONGEST_BAR}."
    elements, y = [f'<text x="10" y="20">{caption}</text>'], 50
    for section in sections:
        for load, programs in results.get(section.key, {}).items():
            out, y = bars(section, load, programs, y)
            elements += out
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="680" height="{y}" font-family="sans-serif" font-size="12">\n'
        "<title>How many times as good as the base of each table</title>\n"
        f'<rect width="680" height="{y}" fill="white"/>\n' + "\n".join(elements) + "\n</svg>\n"
    )
