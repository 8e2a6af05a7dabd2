"""The gate's colours: dark for the night, and each tone of its own brightness, so that hue is not needed to tell them apart."""

from __future__ import annotations

from textual.theme import Theme

DOOR = Theme(
    name="door",
    dark=True,
    primary="#5FB4FF",
    secondary="#8FA3B8",
    accent="#5FB4FF",
    foreground="#F2F5F8",
    background="#080B0F",
    surface="#10161D",
    panel="#18212B",
    success="#2FDD70",
    warning="#FFC21A",
    error="#FF6B7D",
    text_alpha=1.0,
    variables={
        "good": "#2FDD70",
        "on-good": "#03140A",
        "attention": "#FFC21A",
        "on-attention": "#1A1200",
        "bad": "#A80A22",
        "on-bad": "#FFFFFF",
        "neutral": "#18212B",
        "on-neutral": "#F2F5F8",
        "quiet": "#9FB0C0",
    },
)
"""The one theme; a screen takes every colour from it by name."""
