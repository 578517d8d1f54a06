"""Extensions get what the catalog shows: a subtitle, a longer overview, categories, versions and a status."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

ZAPIER = """Zapier starts a workflow when something happens here, and writes back when a workflow ends. \
No program of your own is needed.

- New orders, changed customers and new cases start a workflow.
- A workflow can approve an order, answer a case or add a customer.
"""
FLOWGEAR = """Flowgear moves data between this portal and the systems that you already run, such as an ERP or a shop.

- Agreements, customers, products, subscriptions and usage can be read and written.
- Each integration should have a token of its own, so that one can be disabled without the others.
"""
REPORTS = """Reports reads your data and makes files of it. It changes nothing.

- Products, subscriptions and usage, as tables or spreadsheets.
- The reports that were made are kept under **Reports**.
"""
CUSTOM = """For a program or script that you write yourself. You choose the modules that it may reach.

- Give each program a token of its own.
- Choose only the modules that it needs: you can add others later.
"""
# Of the extensions that every portal began with: the overview so far, the new one, and the categories.
KNOWN = {
    'EXT-310-442': ('Connect with the Flowgear iPaaS platform.', FLOWGEAR, ['automation'], 'https://www.flowgear.net'),
    'EXT-386-120': ('Create custom reports from your data.', REPORTS, ['reporting'], ''),
    'EXT-651-883': ('Automate workflows with the Zapier platform.', ZAPIER, ['automation'], 'https://zapier.com'),
    'EXT-000': ('Connect your own program or script.', CUSTOM, ['own'], ''),
}


def fill(apps, schema_editor):
    """Make the overview so far the subtitle; what administrators wrote themselves stays the overview too."""
    alias = schema_editor.connection.alias
    versions = apps.get_model('tokens', 'ExtensionVersion').objects.using(alias)
    for extension in apps.get_model('tokens', 'Extension').objects.using(alias):
        before, overview, categories, website = KNOWN.get(extension.pk, ('', '', [], ''))
        extension.subtitle = extension.overview if len(extension.overview) <= 128 else extension.overview[:127] + '…'
        if extension.overview == before:
            extension.overview = overview.strip()
        extension.categories, extension.website, extension.status = categories, website, 'published'
        extension.save()
        if extension.pk in KNOWN:
            versions.create(extension=extension, number='1.0', notes='The first version.')


def shorten(apps, schema_editor):
    """Make the subtitle the overview again, which older versions keep in 255 characters."""
    extensions = apps.get_model('tokens', 'Extension').objects.using(schema_editor.connection.alias)
    extensions.update(overview=models.F('subtitle'))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_second_step_and_invitations'),
        ('tokens', '0019_ends_in_the_trail'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExtensionVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(help_text='Such as “1.2”.', max_length=16, verbose_name='version')),
                ('released_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='released')),
                ('notes', models.TextField(help_text='In Markdown.', max_length=1000, verbose_name='what changed')),
            ],
            options={
                'verbose_name': 'version',
                'verbose_name_plural': 'versions',
                'ordering': ('-released_at', '-pk'),
            },
        ),
        migrations.AddField(
            model_name='extension',
            name='categories',
            field=models.JSONField(blank=True, default=list, help_text='The sections of the catalog that it stands in; none is Other.', verbose_name='categories'),
        ),
        migrations.AddField(
            model_name='extension',
            name='owner',
            field=models.ForeignKey(blank=True, help_text='The account of its maker, if it has one here.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.account', verbose_name='made by'),
        ),
        migrations.AddField(
            model_name='extension',
            name='status',
            field=models.CharField(choices=[('draft', 'Draft'), ('published', 'Published')], default='draft', help_text='Only published ones are in the catalog and can be chosen for new tokens.', max_length=16, verbose_name='status'),
        ),
        migrations.AddField(
            model_name='extension',
            name='subtitle',
            field=models.CharField(default='', help_text='What it does, in a sentence. Cards show it.', max_length=128, verbose_name='subtitle'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='extension',
            name='website',
            field=models.CharField(blank=True, max_length=255, validators=[django.core.validators.URLValidator(schemes=['http', 'https'])], verbose_name='website'),
        ),
        migrations.AlterField(
            model_name='extension',
            name='icon',
            field=models.CharField(choices=[('bars', 'Bars'), ('bolt', 'Bolt'), ('branch', 'Branch'), ('calendar', 'Calendar'), ('chat', 'Chat'), ('code', 'Code'), ('extension', 'Puzzle piece'), ('key', 'Key'), ('ledger', 'Ledger'), ('plug', 'Plug'), ('webhook', 'Webhook')], default='extension', max_length=16, verbose_name='icon'),
        ),
        migrations.AlterField(
            model_name='extension',
            name='overview',
            field=models.TextField(blank=True, help_text='What people read before they connect it. Markdown: paragraphs, lists, **bold**, *italic*, `code`, ## headings and [links](https://…). HTML is shown as text.', max_length=10000, verbose_name='overview'),
        ),
        migrations.AddConstraint(
            model_name='extension',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ('draft', 'published'))), name='known_status_of_extension'),
        ),
        migrations.AddField(
            model_name='extensionversion',
            name='extension',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='tokens.extension'),
        ),
        migrations.AddConstraint(
            model_name='extensionversion',
            constraint=models.UniqueConstraint(fields=('extension', 'number'), name='one_row_per_version'),
        ),
        # Last, since PostgreSQL changes no table after its rows were written.
        migrations.RunPython(fill, shorten),
    ]
