/** A setting that is saved when it is switched. */
import { Switch } from "@mantine/core";

interface SettingSwitchProps {
  label: string;
  description: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}

export function SettingSwitch({ onChange, ...rest }: SettingSwitchProps) {
  return <Switch {...rest} onChange={(event) => onChange(event.currentTarget.checked)} />;
}
