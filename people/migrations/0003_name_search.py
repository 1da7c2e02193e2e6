from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("people", "0002_preferences")]

    operations = [
        migrations.AddIndex(
            "user", models.Index(OpClass(Lower("handle"), name="text_pattern_ops"), name="user_handle_beginning")
        ),
        migrations.AddIndex(
            "user", GinIndex(SearchVector("display_name", config="simple"), name="user_name_words")
        ),
    ]
