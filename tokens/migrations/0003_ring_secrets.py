from django.db import migrations, models
from django.db.models.functions import Substr


def note_numbers(apps, schema_editor):
    """The numbers under which keys are stored so far; which secrets stand under them was not noted."""
    TokenKey, RingSecret = apps.get_model("tokens", "TokenKey"), apps.get_model("tokens", "RingSecret")
    peppers = TokenKey.objects.values_list("pepper", flat=True).distinct()
    sealed = TokenKey.objects.exclude(sealed=None).annotate(by=Substr("sealed", 1, 1, output_field=models.BinaryField())).values_list("by", flat=True).distinct()
    RingSecret.objects.bulk_create(RingSecret(ring="TOKEN_PEPPERS", number=number) for number in peppers)
    RingSecret.objects.bulk_create(RingSecret(ring="TOKEN_SEALING_KEYS", number=bytes(byte)[0]) for byte in sealed)


class Migration(migrations.Migration):

    dependencies = [
        ('tokens', '0002_actors'),
    ]

    operations = [
        migrations.CreateModel(
            name='RingSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ring', models.CharField(choices=[('TOKEN_PEPPERS', 'Peppers'), ('TOKEN_SEALING_KEYS', 'Sealing Keys')], max_length=32)),
                ('number', models.PositiveSmallIntegerField()),
                ('fingerprint', models.BinaryField(max_length=32, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ring', 'number'), name='one_secret_per_number')],
            },
        ),
        migrations.RunPython(note_numbers, migrations.RunPython.noop, elidable=False),
    ]
