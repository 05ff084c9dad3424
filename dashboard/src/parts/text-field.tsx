/** A line of text, whose change is told as text. */
import { TextInput, type TextInputProps } from "@mantine/core";

interface TextFieldProps extends Omit<TextInputProps, "onChange"> {
  onChange: (text: string) => void;
}

export function TextField({ onChange, ...rest }: TextFieldProps) {
  return <TextInput {...rest} onChange={(event) => onChange(event.currentTarget.value)} />;
}
