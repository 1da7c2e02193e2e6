
from django.db import migrations


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('rooms', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoomClock',
            fields=[
            ],
            options={
                'verbose_name': 'retention clock',
                'verbose_name_plural': 'retention clocks',
                'permissions': [('view_health', 'Can see how the parts of the site are')],
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('rooms.room',),
        ),
    ]
