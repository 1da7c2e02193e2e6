"""Dutch dates and times where no page says how: day first, 24 hours, as the pages write them."""

DATE_FORMAT = "j b Y"
DATETIME_FORMAT = "j b Y H:i"
TIME_FORMAT = "H:i"
