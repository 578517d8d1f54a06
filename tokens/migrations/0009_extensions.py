"""Extensions become rows, with those that versions so far had in their code; tokens and drafts point at them."""

import django.core.validators
import django.db.models.deletion
import portal.fields
from django.db import migrations, models

EXTENSIONS = (
    {
        'id': 'EXT-310-442',
        'name': 'flowgear',
        'label': 'Flowgear',
        'description': 'Flowgear Integration',
        'overview': 'Connect with the Flowgear iPaaS platform.',
        'icon': 'branch',
        'fixed_modules': ['MD-9001', 'MD-9003', 'MD-9008', 'MD-9010', 'MD-9012'],
    },
    {
        'id': 'EXT-386-120',
        'name': 'reports',
        'label': 'Reports',
        'description': 'Custom Reports',
        'overview': 'Create custom reports from your data.',
        'icon': 'bars',
        'fixed_modules': ['MD-9008', 'MD-9009', 'MD-9010', 'MD-9012'],
    },
    {
        'id': 'EXT-651-883',
        'name': 'zapier',
        'label': 'Zapier',
        'description': 'Zapier Integration',
        'overview': 'Automate workflows with the Zapier platform.',
        'icon': 'bolt',
        'fixed_modules': ['MD-9003', 'MD-0023', 'MD-9010'],
    },
    {
        'id': 'EXT-000',
        'name': 'custom',
        'label': 'Custom',
        'description': 'Custom Integration',
        'overview': 'Connect your own program or script.',
        'icon': 'code',
        'fixed_modules': None,
    },
)


def seed(apps, schema_editor):
    extension = apps.get_model('tokens', 'Extension')
    extension.objects.using(schema_editor.connection.alias).bulk_create(extension(**facts) for facts in EXTENSIONS)


def forget_no_choice(apps, schema_editor):
    """A draft without an extension had an empty text; of one that is not known, nothing can be made."""
    drafts = apps.get_model('tokens', 'TokenDraft').objects.using(schema_editor.connection.alias)
    drafts.exclude(extension__in=[facts['id'] for facts in EXTENSIONS]).update(extension=None)


class Migration(migrations.Migration):

    dependencies = [
        ('tokens', '0008_actors_by_name'),
    ]

    operations = [
        migrations.CreateModel(
            name='Extension',
            fields=[
                ('id', portal.fields.PublicIdField(editable=False, groups=(3, 3), max_length=24, prefix='EXT', primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What programs call it, such as “zapier”.', max_length=50, unique=True, validators=[django.core.validators.RegexValidator('\\A[a-z0-9-]+\\Z', 'Use lower-case letters, digits and hyphens only.')], verbose_name='name')),
                ('label', models.CharField(help_text='What people call it, such as “Zapier”.', max_length=50, verbose_name='label')),
                ('description', models.CharField(help_text='A few words, such as “Zapier Integration”.', max_length=255, verbose_name='description')),
                ('overview', models.CharField(help_text='What it does, in a sentence.', max_length=255, verbose_name='overview')),
                ('icon', models.CharField(choices=[('bars', 'Bars'), ('bolt', 'Bolt'), ('branch', 'Branch'), ('calendar', 'Calendar'), ('code', 'Code'), ('extension', 'Puzzle piece'), ('key', 'Key'), ('plug', 'Plug'), ('webhook', 'Webhook')], default='extension', max_length=16, verbose_name='icon')),
                ('side', models.CharField(choices=[('any', 'Vendors and distributors'), ('vendor', 'Vendors'), ('distributor', 'Distributors')], default='any', max_length=16, verbose_name='for')),
                ('fixed_modules', models.JSONField(blank=True, help_text='What its tokens may reach. With none ticked, the person who makes a token chooses. Tokens that exist keep what they have.', null=True, verbose_name='fixed modules')),
                ('cap', models.PositiveSmallIntegerField(blank=True, help_text='How many live tokens an account may have for it; empty for what TOKENS_PER_EXTENSION says.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='tokens per account')),
            ],
            options={
                'verbose_name': 'extension',
                'verbose_name_plural': 'extensions',
                'ordering': ('id',),
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('side__in', ('any', 'vendor', 'distributor'))), name='known_side_of_extension'),
                    models.CheckConstraint(condition=models.Q(('cap', None), ('cap__gte', 1), _connector='OR'), name='cap_of_extension_is_positive'),
                ],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='token',
            name='known_extension',
        ),
        migrations.AlterField(
            model_name='token',
            name='extension',
            field=models.ForeignKey(db_column='extension', db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tokens.extension', verbose_name='Extension'),
        ),
        migrations.AlterField(
            model_name='tokendraft',
            name='extension',
            field=models.CharField(max_length=16, null=True),
        ),
        migrations.RunPython(forget_no_choice, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='tokendraft',
            name='extension',
            field=models.ForeignKey(db_column='extension', error_messages={'blank': 'Choose an extension.'}, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tokens.extension', verbose_name='Extension'),
        ),
    ]
