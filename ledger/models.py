"""The ledger: every act on evidence, decisions and clocks, in a tamper-evident chain.

`Entry` is append-only, which the database enforces (migration 0001). Both tables are named with their schema, so that
no table of the same name in another schema can stand in for them. An entry holds ids and commitments, never a person's
words: those are in `Text`, which can be erased without breaking the chain. Both refer to other rows by plain values:
a foreign key would change when its target is deleted, and the ledger must outlive all of it.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

SEAL = "^[0-9a-f]{64}$"


class Entry(models.Model):
    """One act. `previous` is the seal of the entry before, `seal` an HMAC over all of this one (`ledger/chain.py`)."""

    seq = models.BigIntegerField(_("number"), primary_key=True)
    kind = models.CharField(_("act"), max_length=40)
    subject = models.CharField(_("what it is about"), max_length=80)
    actor = models.BigIntegerField(_("who (empty: the house itself)"), null=True, blank=True)
    at = models.DateTimeField(_("when"))
    data = models.JSONField(_("values"), default=dict)
    commitments = models.JSONField(_("commitments of texts"), default=dict)
    previous = models.CharField(_("seal of the one before"), max_length=64, unique=True)
    seal = models.CharField(_("seal"), max_length=64)

    class Meta:
        db_table = '"ledger"."entry"'
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        indexes = [models.Index(fields=["subject", "seq"], name="entry_of_subject")]
        # No row may prevent a next entry, or be unreadable.
        constraints = [
            models.CheckConstraint(condition=models.Q(seq__gte=1, seq__lte=10**15), name="entry_number"),
            models.CheckConstraint(condition=models.Q(previous__regex=SEAL, seal__regex=SEAL), name="entry_seals"),
            models.CheckConstraint(condition=models.Q(at__year__gte=1970, at__year__lte=9000), name="entry_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.subject}"


class Text(models.Model):
    """A person's words that an entry commits to. Erased together with the salt, so that the commitment reveals
    nothing."""

    entry_seq = models.BigIntegerField(_("entry"))
    name = models.CharField(_("name"), max_length=40)
    salt = models.CharField(max_length=64)
    text = models.TextField(_("text"))

    class Meta:
        db_table = '"ledger"."text"'
        verbose_name = _("ledger text")
        verbose_name_plural = _("ledger texts")
        constraints = [models.UniqueConstraint(fields=["entry_seq", "name"], name="text_once")]

    def __str__(self) -> str:
        return f"{self.entry_seq} {self.name}"
