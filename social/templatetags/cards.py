"""Template tag that draws the card of a message."""

from __future__ import annotations

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from social.hooks import DrawnMessage

register = template.Library()


@register.simple_tag(takes_context=True)
def draw_card(context: Context, drawn: DrawnMessage) -> SafeString:
    """Render a card's template with what its kind gave it (`DrawnMessage.context`), on top of the page's own."""
    assert context.template is not None
    card = context.template.engine.get_template(drawn.template)
    with context.push(**drawn.context):
        return card.render(context)
