"""Puts together what runs in Pods: triggers in the platform's, jobs in the tenants'."""
