/** Asking before something is gone for good: its name has to be typed. */
import { Alert, Button, Group, Modal, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import { explain } from "~/api/error";
import { Form } from "~/parts/form";

interface TypedNameProps {
  name: string;
  value: string;
  onChange: (typed: string) => void;
}

/** Where the name of what is at stake has to be typed. */
export function TypedName({ name, value, onChange }: TypedNameProps) {
  return (
    <TextInput
      label={
        <>
          Type <strong>{name}</strong> to confirm
        </>
      }
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data-autofocus
      autoComplete="off"
    />
  );
}

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What has to be typed. Without it a click is enough: what is lost can be made again. */
  name?: string;
  action?: string;
  children: ReactNode;
  onConfirm: () => Promise<unknown>;
}

export function Confirm({
  opened,
  onClose,
  title,
  name,
  action = "Delete",
  children,
  onConfirm,
}: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const close = () => {
    setTyped("");
    setError(undefined);
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      close();
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <Form onSubmit={() => confirm()}>
        <Text size="sm" component="div">
          {children}
        </Text>
        {name !== undefined && <TypedName name={name} value={typed} onChange={setTyped} />}
        {error !== undefined && <Alert color="red">{explain(error)}</Alert>}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button color="red" type="submit" loading={busy} disabled={name !== undefined && typed !== name}>
            {action}
          </Button>
        </Group>
      </Form>
    </Modal>
  );
}

interface DeleteButtonProps extends Omit<ConfirmProps, "opened" | "onClose"> {
  label?: string;
  disabled?: boolean;
}

/** A button that asks first. */
export function DeleteButton({ label = "Delete", disabled, ...confirm }: DeleteButtonProps) {
  const [opened, { open, close }] = useDisclosure();
  return (
    <>
      <Button color="red" variant="outline" onClick={open} disabled={disabled}>
        {label}
      </Button>
      <Confirm opened={opened} onClose={close} {...confirm} />
    </>
  );
}
