import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooms', '0009_reactions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ListenerChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unseen', models.BooleanField(verbose_name='listens unseen')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='listener_choices', to='rooms.room', verbose_name='room')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'choice of a listener',
                'verbose_name_plural': 'choices of listeners',
                'constraints': [models.UniqueConstraint(fields=('room', 'user'), name='listener_choice_once')],
            },
        ),
    ]
