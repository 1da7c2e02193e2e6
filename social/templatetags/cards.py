"""Template tag that draws the card of a message."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from social.hooks import Card

register = template.Library()


@register.simple_tag(takes_context=True)
def draw_card(context: Context, card: Card) -> SafeString:
    """Render a card's template with what its kind gave it (`Card.context`), on top of the page's own context."""
    assert context.template is not None
    drawn = context.template.engine.get_template(card.template)
    with context.push(**card.context):
        return drawn.render(context)
