use super::*;

const A: Digest = [1; 32];
const B: Digest = [2; 32];
const C: Digest = [3; 32];

fn call(breaker: &Breaker, tenant: Digest, verdict: Verdict) -> bool {
    match breaker.admit(tenant) {
        Ok(pass) => {
            pass.settle(verdict);
            true
        }
        Err(_) => false,
    }
}

fn fail(breaker: &Breaker, tenant: Digest, times: u32) {
    for _ in 0..times {
        call(breaker, tenant, Verdict::Failing);
    }
}

fn passes(breaker: &Breaker, tenant: Digest) -> bool {
    breaker.refuses(tenant).is_none()
}

#[tokio::test(start_paused = true)]
async fn one_tenants_failures_do_not_open_the_breaker_for_another() {
    let breaker = Breaker::new();
    fail(&breaker, A, 1000);
    assert!(passes(&breaker, B), "not even when the other comes later");
    // Where several tenants call, the failures of one are its own affair.
    let breaker = Breaker::new();
    call(&breaker, B, Verdict::Sound);
    fail(&breaker, A, 1000);
    assert!(passes(&breaker, A) && passes(&breaker, B));
}

#[tokio::test(start_paused = true)]
async fn failures_of_two_tenants_open_it_for_all() {
    let breaker = Breaker::new();
    fail(&breaker, A, 5);
    fail(&breaker, B, 4);
    assert!(passes(&breaker, C));
    fail(&breaker, B, 1);
    assert_eq!([A, B, C].map(|tenant| breaker.refuses(tenant)), [Some(COOLING); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_alone_is_kept_from_a_platform_that_fails() {
    let breaker = Breaker::new();
    fail(&breaker, A, FAILURES - 1);
    assert!(passes(&breaker, A));
    fail(&breaker, A, 1);
    assert_eq!(breaker.refuses(A), Some(COOLING));
    tokio::time::advance(Duration::from_secs(4)).await;
    assert_eq!(breaker.refuses(A), Some(Duration::from_secs(6)));
}

#[tokio::test(start_paused = true)]
async fn failures_among_more_successes_do_not_open_it() {
    let breaker = Breaker::new();
    for _ in 0..500 {
        fail(&breaker, A, 1);
        fail(&breaker, B, 1);
        for _ in 0..3 {
            assert!(call(&breaker, C, Verdict::Sound));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn however_much_one_tenant_fails_it_counts_as_one() {
    let breaker = Breaker::new();
    call(&breaker, C, Verdict::Sound);
    fail(&breaker, A, 1000);
    // The other one fails once, among successes.
    for verdict in [Verdict::Sound, Verdict::Sound, Verdict::Failing] {
        call(&breaker, B, verdict);
    }
    assert!([A, B, C].iter().all(|tenant| passes(&breaker, *tenant)));
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_long_past_do_not_count() {
    let breaker = Breaker::new();
    fail(&breaker, A, FAILURES - 1);
    tokio::time::advance(PERIOD).await;
    fail(&breaker, A, 1);
    assert!(passes(&breaker, A));
}

#[tokio::test(start_paused = true)]
async fn what_hung_in_a_period_that_went_well_does_not_count_in_the_next() {
    let breaker = Breaker::new();
    call(&breaker, A, Verdict::Sound);
    let hung: Vec<_> = [A, B].repeat(10).iter().map(|it| breaker.admit(*it).unwrap()).collect();
    tokio::time::advance(PERIOD).await;
    for pass in hung {
        pass.settle(Verdict::Failing);
    }
    assert!(passes(&breaker, A) && passes(&breaker, B));
}

#[tokio::test(start_paused = true)]
async fn after_a_while_one_request_is_on_trial_and_its_success_closes_the_breaker() {
    let breaker = Breaker::new();
    fail(&breaker, A, 5);
    fail(&breaker, B, 5);
    tokio::time::advance(COOLING).await;
    let trial = breaker.admit(C).unwrap();
    assert_eq!(breaker.refuses(A), Some(TRIAL));
    trial.settle(Verdict::Sound);
    assert!([A, B, C].iter().all(|tenant| passes(&breaker, *tenant)));
    // What counted before counts no more.
    fail(&breaker, A, 1);
    fail(&breaker, B, 1);
    assert!(passes(&breaker, C));
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_is_given_up_leaves_room_for_another() {
    let breaker = Breaker::new();
    fail(&breaker, A, 5);
    fail(&breaker, B, 5);
    tokio::time::advance(COOLING).await;
    drop(breaker.admit(A).unwrap());
    breaker.admit(A).unwrap().settle(Verdict::Silent);
    assert!(breaker.admit(B).is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_tenants_failed_trial_does_not_keep_it_open_for_another() {
    let breaker = Breaker::new();
    fail(&breaker, A, 5);
    fail(&breaker, B, 5);
    tokio::time::advance(COOLING).await;
    assert!(call(&breaker, A, Verdict::Failing));
    assert_eq!(breaker.refuses(A), Some(COOLING));
    assert!(passes(&breaker, B));
    // When the other fails on trial as well, it is the platform.
    assert!(call(&breaker, B, Verdict::Failing));
    assert_eq!([A, B, C].map(|tenant| breaker.refuses(tenant)), [Some(COOLING); 3]);
    tokio::time::advance(COOLING).await;
    assert!(call(&breaker, A, Verdict::Failing) && call(&breaker, B, Verdict::Sound));
    assert!(passes(&breaker, A) && passes(&breaker, C));
}

#[tokio::test(start_paused = true)]
async fn it_opens_for_all_when_a_second_tenant_fails_after_the_first() {
    let breaker = Breaker::new();
    fail(&breaker, A, 20);
    assert!(!passes(&breaker, A) && passes(&breaker, B));
    fail(&breaker, B, 1);
    assert!(!passes(&breaker, C));
}
