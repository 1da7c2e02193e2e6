"""Columns as wide as the longest text of their kind: lengths are counted in grapheme clusters of up to ten code points.

What stands in them stays as it is, also where it would be refused today.
"""

from django.db import migrations, models
from django.db.models import F


def name_the_nameless(apps, _schema):
    apps.get_model("people", "User").objects.filter(display_name="").update(display_name=F("handle"))


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('people', '0004_existing_installations'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apitoken',
            name='name',
            field=models.CharField(max_length=600, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='creator',
            name='plan',
            field=models.CharField(blank=True, max_length=5000, verbose_name='what they plan'),
        ),
        migrations.AlterField(
            model_name='creator',
            name='wave',
            field=models.CharField(blank=True, max_length=600, verbose_name='wave'),
        ),
        migrations.AlterField(
            model_name='sanction',
            name='why',
            field=models.CharField(max_length=5000, verbose_name='why'),
        ),
        migrations.AlterField(
            model_name='user',
            name='about',
            field=models.CharField(blank=True, max_length=5000, verbose_name='about you'),
        ),
        migrations.AlterField(
            model_name='user',
            name='display_name',
            field=models.CharField(max_length=600, verbose_name='name'),
        ),
        migrations.RunPython(name_the_nameless, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('display_name', ''), _negated=True), name='user_has_a_name'),
        ),
    ]
