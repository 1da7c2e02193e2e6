"""English dates and times where no page says how: day first, 24 hours, as the pages write them."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y H:i"
TIME_FORMAT = "H:i"
