"""The sections `components` and `stores` of the onprem profile."""
