/** Writing: what happens around every change that a page makes. */
import { notifications } from "@mantine/notifications";
import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { refresh } from "./client";
import { explain } from "./error";

interface Around<Input, Output> {
  /** Prefixes of the paths whose answers this changes. */
  changes?: string[];
  /** What is said when it is done. */
  done?: string | ((output: Output, input: Input) => string);
  after?: (output: Output, input: Input) => unknown;
  /** Set where the page shows the refusal itself, beside the fields it is about. */
  quiet?: boolean;
}

type Answer<Output> = { data?: Output } | Output;

/** An act of the API: runs it, reads again what it changed, and says how it went. */
export function useAct<Input = void, Output = unknown>(
  act: (input: Input) => Promise<Answer<Output>>,
  { changes = [], done, after, quiet }: Around<Input, Output> = {},
): UseMutationResult<Output, Error, Input> {
  return useMutation<Output, Error, Input>({
    mutationFn: async (input) => {
      const answer = await act(input);
      const wrapped = answer !== null && typeof answer === "object" && "response" in answer;
      return (wrapped ? (answer as { data?: Output }).data : answer) as Output;
    },
    onSuccess: async (output, input) => {
      await refresh(...changes);
      if (done) notifications.show({ message: typeof done === "string" ? done : done(output, input) });
      await after?.(output, input);
    },
    onError: (error) => {
      if (!quiet) fail(error);
    },
  });
}

/** Says that something was refused. */
export function fail(error: unknown, title = "That did not work") {
  notifications.show({ color: "red", title, message: explain(error), autoClose: 10_000 });
}
