-- The beginning of what the receiver answered to the last attempt.
ALTER TABLE webhook_deliveries ADD COLUMN response_body TEXT;
